import type { Engine } from './engine.ts';

/** Labels of everything that the engine keeps for runs. */
export const agentLabel = 'berth.agent';
export const runLabel = 'berth.run';

/** How `berth.run` names a run; ids count per registry. */
export function runLabelOf({ registry, id }: { readonly registry: string; readonly id: string }): string {
  return `${registry}/${id}`;
}

const patienceMs = 60_000;
/** Names that go into one command. */
const maxNames = 200;

/**
 * Removes every container, network and volume of an agent, except for those of runs that go on (`registry/id`). What cannot be
 * removed now is left for the next time.
 */
export async function cleanUp(engine: Engine, agentId: string, exceptRuns: readonly string[] = []): Promise<void> {
  const kept = new Set(exceptRuns);
  await removeLabelled(engine, `${agentLabel}=${agentId}`, (run) => !kept.has(run));
}

/** Removes every container, network and volume of one run. */
export async function cleanUpRun(engine: Engine, agentId: string, run: string): Promise<void> {
  await removeLabelled(engine, `${agentLabel}=${agentId}`, (each) => each === run);
}

async function removeLabelled(engine: Engine, label: string, isChosen: (run: string) => boolean): Promise<void> {
  if (engine.name === 'buildah') return;
  const kinds = [
    { list: ['ps', '--all'], remove: ['rm', '--force', '--volumes'], id: 'ID' },
    { list: ['network', 'ls'], remove: ['network', 'rm'], id: 'Name' },
    { list: ['volume', 'ls'], remove: ['volume', 'rm', '--force'], id: 'Name' },
  ] as const;
  // In this order: networks and volumes are free only once their containers are gone.
  for (const { list, remove, id } of kinds) {
    const format = `{{.${id}}}|{{${labelTemplate(engine, list[0])}}}`;
    const args = [...list, '--filter', `label=${label}`, '--format', format];
    const { exitCode, output } = await engine.command(args, { signal: AbortSignal.timeout(patienceMs) });
    if (exitCode !== 0) continue;
    const chosen = output
      .split('\n')
      .map((line) => line.split('|'))
      .flatMap(([name, run = '']) => (name !== undefined && name !== '' && isChosen(runOf(run)) ? [name] : []));
    for (let at = 0; at < chosen.length; at += maxNames)
      await engine.command([...remove, ...chosen.slice(at, at + maxNames)], { signal: AbortSignal.timeout(patienceMs) });
  }
}

/** Podman has the labels of networks as one text only. */
function labelTemplate({ name }: Engine, kind: string): string {
  if (name === 'docker') return `.Label "${runLabel}"`;
  return kind === 'network' ? '.Labels' : `index .Labels "${runLabel}"`;
}

function runOf(label: string): string {
  const all = label.split(',').find((each) => each.startsWith(`${runLabel}=`));
  return all === undefined ? label : all.slice(runLabel.length + 1);
}
