import { type Assignment, leaseHeader } from '@berth/api';
import { TaskWorld } from '../../tests/tasks/task-world.ts';
import { HttpConnection } from '../http-connection.ts';
import type { Row } from '../report.ts';

const builds = 12;
const queued = 1_000;

/**
 * What tasks cost: a trivial image by `berth build` against the engine's own build and push of the same, and claims from a
 * long queue. Takes root and a Docker engine, which it starts for itself.
 */
export async function measureTasks(): Promise<readonly Row[]> {
  const world = await TaskWorld.open({ runsAtOnce: String(2 * queued) });
  try {
    return [await measureBuilds(world), ...(await measureClaims(world))];
  } finally {
    await world.close();
  }
}

/** Medians of seconds, taken in turns, so that both see the same machine. */
async function measureBuilds(world: TaskWorld): Promise<Row> {
  const agent = await world.startAgent();
  await world.signIn();
  const [own, ours]: [number[], number[]] = [[], []];
  for (let index = 0; index < builds; index += 1) {
    const folder = await world.write(`bench-${index}`, { Dockerfile: 'FROM scratch\nCOPY hello /\n', hello: `hello ${index}\n` });
    own.push(
      await timed(async () => {
        const name = `${world.host}/bench/own:${index}`;
        await world.engine.docker(['build', '--quiet', '--tag', name, folder], { env: { DOCKER_BUILDKIT: '1' } });
        await world.engine.docker(['push', '--quiet', name]);
      }),
    );
    const again = await world.write(`bench-again-${index}`, {
      Dockerfile: 'FROM scratch\nCOPY hello /\n',
      hello: `hello you ${index}\n`,
    });
    ours.push(
      await timed(async () => {
        const { code, stdout, stderr } = await world.berth(['build', '--image', `bench/ours:${index}`, again]);
        if (code !== 0) throw new Error(`berth build failed:\n${stdout}\n${stderr}`);
      }),
    );
  }
  // What is queued next is for another.
  await agent.stop();
  return {
    name: 'berth build of a trivial image, beyond the engine',
    unit: 'ms',
    berth: median(ours) - median(own),
    peer: undefined,
    target: { atMost: 300 },
  };
}

/** A server that has just started still compiles its code, on the cores that answer: what follows is what it does for days. */
async function measureClaims(world: TaskWorld): Promise<readonly Row[]> {
  const claim = await agentOf(world);
  await queueRuns(world);
  const fresh = await timesOfClaims(world, claim);
  const settled = await timesOfClaims(world, claim);
  const row = (what: string, berth: number): Row => ({
    name: `claim of a run, 1,000 queued, ${what}`,
    unit: 'ms',
    berth,
    peer: undefined,
    target: { atMost: 5 },
  });
  return [
    row('median', partOf(settled, 0.5)),
    row('99th percentile', partOf(settled, 0.99)),
    row('99th percentile of the first', partOf(fresh, 0.99)),
  ];
}

/** Claims as many runs as are queued, and ends each; as many wait all the while. In milliseconds, sorted. */
async function timesOfClaims(world: TaskWorld, claim: () => Promise<() => Promise<void>>): Promise<readonly number[]> {
  await queueRuns(world);
  const times: number[] = [];
  for (let index = 0; index < queued; index += 1) {
    let end = (): Promise<void> => Promise.resolve();
    times.push(
      await timed(async () => {
        end = await claim();
      }),
    );
    await end();
  }
  return times.toSorted((a, b) => a - b);
}

async function queueRuns(world: TaskWorld): Promise<void> {
  const work = { kind: 'inline', content: 'version: v1.1.0\nsteps:\n  - cmd: image\n' };
  for (let index = 0; index < queued; index += 1) expect(await world.call('POST', '/berth/v1/runs', { work }), 202);
}

/** Claims as an agent that executes nothing; what it gives ends the run. */
async function agentOf(world: TaskWorld): Promise<() => Promise<() => Promise<void>>> {
  const { key } = expect(await world.call('POST', '/berth/v1/agent-keys', { name: 'bench' }), 201) as { readonly key: string };
  const authorization = `Basic ${Buffer.from(`$agent:${key}`).toString('base64')}`;
  const agent = {
    name: 'bench',
    version: '0',
    engine: 'none',
    engineVersion: '0',
    os: 'Linux',
    architectures: ['amd64'],
    capacity: 1_000,
  };
  // A client that costs next to nothing: otherwise it would be what is measured.
  const connection = new HttpConnection(new URL(world.url));
  const call = async (path: string, body: object, more: Readonly<Record<string, string>> = {}): Promise<Buffer> => {
    const headers = { authorization, 'content-type': 'application/json', ...more };
    const answer = await connection.call({ method: 'POST', path, headers, body: Buffer.from(JSON.stringify(body)) });
    if (answer.status !== 200) throw new Error(`${path} was answered ${answer.status}: ${answer.body}`);
    return answer.body;
  };
  return async () => {
    const claimed = await call('/berth/v1/agent/claims', { agent, holds: [], waitSeconds: 0 });
    const { run, lease } = JSON.parse(claimed.toString()) as Assignment;
    const end = { outcome: 'Succeeded', message: null, images: [], dependencies: [], temporaryTags: [] };
    return async () => void (await call(`/berth/v1/agent/runs/${run.id}/reports`, { end }, { [leaseHeader]: lease }));
  };
}

function expect({ status, json }: { readonly status: number; readonly json: unknown }, wanted: number): unknown {
  if (status !== wanted) throw new Error(`answered ${status}: ${JSON.stringify(json)}`);
  return json;
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function median(values: readonly number[]): number {
  return partOf(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}

/** Of sorted values. */
function partOf(sorted: readonly number[], part: number): number {
  return sorted[Math.floor(part * (sorted.length - 1))] ?? 0;
}
