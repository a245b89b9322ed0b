import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TaskFileError } from '@berth/task-file';
import type { Engine } from '../engine/index.ts';
import { checkAttests } from './attest/attest-plan.ts';
import { planQuickBuild } from './plan-quick-build.ts';
import { planTaskFile } from './plan-task-file.ts';
import { writeLogins } from './registry-logins.ts';
import { type SourceFacts, runData } from './run-data.ts';
import { RunFailed } from './run-failed.ts';
import type { RunEnd, RunHost } from './run-host.ts';
import { RunImages } from './run-images.ts';
import { type RunPlan, placedText } from './run-plan.ts';
import { RunResources } from './run-resources.ts';
import { dependenciesOf, outputsOf, removeImages } from './run-results.ts';
import type { RunScene } from './run-scene.ts';
import { type FailedStep, runSteps } from './run-steps.ts';
import { StepTable } from './step-table.ts';
import { readWorkspaceFile } from './workspace-path.ts';

/** Executes a run: source, plan, steps, results. Whatever happens, nothing of it is left on the engine. It does not throw. */
export async function executeRun(host: RunHost, plainEngine: Engine): Promise<RunEnd> {
  const { assignment, secretsFolder } = host;
  for (const { password } of assignment.logins) host.mask(password);
  for (const { value, isSecret } of assignment.values) if (isSecret === true) host.mask(value);
  const workspace = join(host.folder, 'workspace');
  const ending = new AbortController();
  const images = new RunImages();
  const temporaryTags: string[] = [];
  const followed = new Set<Promise<void>>();
  let commit = assignment.run.commit;
  let resources: RunResources | undefined;
  let engine = plainEngine;
  const endOf = (outcome: RunEnd['outcome'], message: string | null): RunEnd => ({
    outcome,
    message,
    images: [...outputsOf(images)],
    dependencies: [...dependenciesOf(images, commit)],
    temporaryTags,
  });
  try {
    await mkdir(workspace, { recursive: true });
    const logins = await writeLogins(join(secretsFolder, 'logins'), assignment.logins, plainEngine.describe().pluginFolders);
    engine = plainEngine.withLogins(logins.engine, assignment.logins);
    resources = new RunResources(engine, host, workspace);
    const source = await fetchSource(host, workspace);
    commit = source.commit;
    host.signal.throwIfAborted();
    const run = runData(assignment, engine.describe(), { ...source, sharedVolume: resources.sharedVolume });
    const plan = await makePlan(host, { run, workspace });
    resources.declare(plan);
    const table = new StepTable(plan.steps, (states) => host.steps(states));
    const scene: RunScene = {
      host,
      engine,
      plan,
      workspace,
      logins,
      resources,
      images,
      table,
      commit,
      temporaryTags,
      followed,
      ending: ending.signal,
    };
    for (const note of checkAttests(plan, engine, assignment.isTrusted)) host.log('', 'agent', note);
    const failed = await runSteps(scene);
    if (host.signal.aborted) return endOf(...stopOf(host.signal));
    return failed === undefined ? endOf('Succeeded', null) : endOf('Failed', messageOf(failed));
  } catch (error) {
    if (host.signal.aborted) return endOf(...stopOf(host.signal));
    return endOf(...explain(error, host));
  } finally {
    ending.abort();
    await resources?.remove();
    await Promise.all(followed);
    // Before the end is told: who then pulls what was pushed here must not lose its name again.
    await removeImages(engine, images);
  }
}

async function fetchSource(host: RunHost, workspace: string): Promise<SourceFacts> {
  const { source, run } = host.assignment;
  const found = source === null ? {} : await host.fetchSource(workspace);
  // What the trigger says counts; the source may have been fetched without its branch.
  return { commit: run.commit || (found.commit ?? ''), branch: run.branch || (found.branch ?? '') };
}

async function makePlan(
  host: RunHost,
  { run, workspace }: { readonly run: ReturnType<typeof runData>; readonly workspace: string },
): Promise<RunPlan> {
  const { work, logins, timeoutSeconds, isTrusted } = host.assignment;
  const file = work.kind === 'file' ? work.path : work.kind === 'build' ? 'the build' : 'the task file';
  try {
    if (work.kind === 'build') return planQuickBuild(work, { run, logins, timeoutSeconds, isTrusted });
    const read = async (path: string): Promise<string> => {
      try {
        return await readWorkspaceFile(workspace, path);
      } catch (error) {
        throw new RunFailed(error instanceof Error ? error.message : String(error));
      }
    };
    const source = work.kind === 'file' ? await read(work.path) : work.content;
    const valuesSource =
      work.kind === 'inline' ? work.valuesContent : work.valuesPath === undefined ? undefined : await read(work.valuesPath);
    return await planTaskFile({ host, source, valuesSource, run, workspace });
  } catch (error) {
    if (!(error instanceof TaskFileError)) throw error;
    const texts = error.problems.map((problem) => placedText(problem, file));
    for (const text of texts) host.log('', 'agent', text);
    throw new RunFailed(texts.slice(0, 20).join('\n'));
  }
}

const stops: Readonly<Record<string, readonly [RunEnd['outcome'], string]>> = {
  canceled: ['Canceled', 'the run was canceled'],
  timeout: ['Timeout', 'the run took longer than its timeout'],
  'lease-lost': ['Error', 'the agent lost the run'],
  'agent-stopping': ['Error', 'the agent was stopped'],
  'output-limit': ['Failed', 'the run wrote more to its log than it may'],
  'disk-limit': ['Failed', 'the run takes more disk than it may'],
};

function stopOf({ reason }: AbortSignal): readonly [RunEnd['outcome'], string] {
  return stops[String(reason)] ?? ['Error', `the run was stopped: ${String(reason)}`];
}

/** What is expected says by itself what was wrong; anything else is a bug of the agent. */
function explain(error: unknown, host: RunHost): readonly [RunEnd['outcome'], string] {
  if (error instanceof RunFailed) {
    host.log('', 'agent', error.message);
    return [error.outcome, error.message];
  }
  if (error instanceof Error && error.name === 'SourceError') {
    host.log('', 'agent', error.message);
    return ['Failed', error.message];
  }
  const message = error instanceof Error ? error.message : String(error);
  host.log('', 'agent', `The agent failed: ${message}`);
  return ['Error', `the agent failed: ${message}`];
}

const maxMessageLength = 2000;

function messageOf({ id, end }: FailedStep): string {
  const lines = end.lastLines.filter((line) => line.trim() !== '').slice(-10);
  const text = [`the step ${id} failed: ${end.reason ?? ''}`, ...lines].join('\n');
  return text.length > maxMessageLength ? `${text.slice(0, maxMessageLength)}…` : text;
}
