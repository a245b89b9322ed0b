import { OciError, parseRepositoryName } from '@berth/oci';
import { type Fields, invalid } from '../../resources/index.ts';
import type { TaskProperties } from '../model.ts';
import { checkTaskContent } from './check-task-content.ts';
import { readTaskCredentials } from './read-credentials.ts';
import type { ReadScene } from './read-scene.ts';
import { readStep } from './read-step.ts';
import { readTriggers } from './read-triggers.ts';

const defaultTimeoutSeconds = 3600;
const poolPattern = /^[A-Za-z0-9-]{3,20}$/;
const accessActions = ['pull', 'push', 'delete', 'metadata_read', 'metadata_write'];
const maxAccess = 100;

/**
 * Reads the `properties` of a task (acr-tasks 6.3): those of a new one, or over those that were there.
 * @throws INVALID_PARAMETER naming the field, TASK_FILE_INVALID
 */
export function readTask(properties: Fields, before: TaskProperties | undefined, scene: ReadScene): TaskProperties {
  const isSystemTask = properties.boolean('isSystemTask') ?? before?.isSystemTask ?? false;
  const step = readStep(properties, before?.step, scene);
  if (step === undefined && !isSystemTask) throw invalid(properties.at('step'), 'is missing');
  const trigger = readTriggers(properties, before?.trigger, scene);
  const credentials = readTaskCredentials(properties, before?.credentials, scene);
  const [cpu, pool] = [properties.object('agentConfiguration').integer('cpu', { min: 1, max: 256 }), readPool(properties)];
  const agentConfiguration = cpu === undefined ? before?.agentConfiguration : { cpu };
  const agentPoolName = pool ?? before?.agentPoolName;
  const logTemplate = properties.text('logTemplate') ?? before?.logTemplate;
  const access = readAccess(properties) ?? before?.access;
  const task: TaskProperties = {
    status: properties.oneOf('status', ['Enabled', 'Disabled']) ?? before?.status ?? 'Enabled',
    platform: readPlatform(properties, before?.platform),
    ...(agentConfiguration !== undefined && { agentConfiguration }),
    ...(agentPoolName !== undefined && agentPoolName !== '' && { agentPoolName }),
    timeout: properties.integer('timeout', { min: 300, max: 28_800 }) ?? before?.timeout ?? defaultTimeoutSeconds,
    ...(step !== undefined && { step }),
    trigger,
    ...(credentials !== undefined && { credentials }),
    ...(logTemplate !== undefined && logTemplate !== '' && { logTemplate }),
    isSystemTask,
    ...(access !== undefined && { access }),
  };
  requireFittingStep(task, properties);
  return task;
}

type Platform = TaskProperties['platform'];

function readPlatform(properties: Fields, before: Platform | undefined): Platform {
  const platform = properties.object('platform');
  const os = platform.oneOf('os', ['Linux', 'Windows']) ?? before?.os;
  if (os === undefined) throw invalid(platform.at('os'), 'is missing: Linux or Windows');
  const architecture = platform.oneOf('architecture', ['amd64', 'x86', '386', 'arm', 'arm64']);
  // A variant belongs to its architecture.
  const variant = platform.oneOf('variant', ['v6', 'v7', 'v8']) ?? (architecture === undefined ? before?.variant : undefined);
  return { os, architecture: architecture ?? before?.architecture ?? 'amd64', ...(variant !== undefined && { variant }) };
}

/** Empty: the pool that every registry has. */
function readPool(properties: Fields): string | undefined {
  const pool = properties.text('agentPoolName');
  if (pool !== undefined && pool !== '' && !poolPattern.test(pool))
    throw invalid(properties.at('agentPoolName'), 'must be 3 to 20 letters, digits and hyphens');
  return pool;
}

function readAccess(properties: Fields): TaskProperties['access'] {
  return properties.objects('access', maxAccess)?.map((entry) => {
    const repository = entry.requiredText('repository');
    if (repository !== '*') requireRepository(repository, entry.at('repository'));
    const actions = entry.texts('actions', 10) ?? [];
    for (const [index, action] of actions.entries())
      if (!accessActions.includes(action))
        throw invalid(`${entry.at('actions')}[${index}]`, `must be one of ${accessActions.join(', ')}`);
    return { repository, actions };
  });
}

function requireRepository(name: string, at: string): void {
  try {
    parseRepositoryName(name);
  } catch (error) {
    if (error instanceof OciError) throw invalid(at, 'must be the name of a repository, or *');
    throw error;
  }
}

/** What members of a task say of one another. */
function requireFittingStep({ step, trigger }: TaskProperties, properties: Fields): void {
  const at = `${properties.at('step')}.contextPath`;
  const hasContext = step?.contextPath !== undefined && step.contextPath !== '/dev/null';
  if (step !== undefined && step.type !== 'EncodedTask' && !hasContext)
    throw invalid(at, `is missing: a ${step.type} step reads its files there. Only an EncodedTask needs none`);
  const watcher = trigger.sourceTriggers.find(({ status }) => status === 'Enabled');
  if (watcher !== undefined && !hasContext)
    throw invalid(
      at,
      `is missing, but the source trigger ${watcher.name} waits for commits to it: disable the trigger, or name a context`,
    );
  if (step?.type === 'EncodedTask') checkTaskContent(step);
}
