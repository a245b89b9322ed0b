import { readFileSync } from 'node:fs';
import { CommandError } from './command-error.ts';
import { commandFile, platformOf } from './commands/run.ts';
import type { ImageOptions } from './image-options.ts';
import { readArguments, readSecretValues, readValues } from './named-values.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Options of `berth task create` and `update`, which are those of `az acr task create` where that has them. */
export interface TaskOptions extends ImageOptions {
  readonly context?: string;
  readonly cmd?: string;
  readonly values?: string;
  readonly arg?: readonly string[];
  readonly secretArg?: readonly string[];
  readonly set?: readonly string[];
  readonly setSecret?: readonly string[];
  readonly schedule?: readonly string[];
  readonly timeZone?: string;
  readonly gitAccessTokenFile?: string;
  readonly forge?: string;
  readonly baseImageTriggerType?: string;
  readonly baseImageTriggerEnabled?: boolean;
  readonly commitTriggerEnabled?: boolean;
  readonly pullRequestTriggerEnabled?: boolean;
  readonly branch?: string;
  readonly path?: readonly string[];
  readonly gitTag?: readonly string[];
  readonly poll?: number;
  readonly timeout?: number;
  readonly status?: string;
  readonly agentPool?: string;
}

type Json = Readonly<Record<string, unknown>>;

const usualCommandTimeoutSeconds = 3600;
/** What az takes for a task file rather than a Dockerfile (acr-tasks 3). */
const taskFileName = /\.(?:ya?ml|toml|json|sh|bash|zsh|ps1|ps|cmd|bat|ts|js|php|py|rb|lua)$/i;
const sourceTriggerName = 'defaultSourceTriggerName';
const baseImageTriggerName = 'defaultBaseimageTriggerName';

/** The `properties` of a new task (acr-tasks 6.3), as `az acr task create` makes them. @throws CommandError */
export function newTask(options: TaskOptions, environment: Environment): Json {
  const { context } = options;
  if (context === undefined && options.cmd === undefined)
    throw new CommandError(
      'it is not said what the task does',
      'name a context with --context, or a command with --cmd, or take a file: --from',
    );
  const hasSource = isRepository(context);
  const changes = changedTask(options, environment);
  const trigger = {
    // As az: commits unless switched off, base images always, pull requests only when asked for.
    ...(hasSource && gitToken(options, environment) !== undefined && options.commitTriggerEnabled === undefined
      ? { sourceTriggers: sourceTriggers({ ...options, commitTriggerEnabled: true }, environment) }
      : {}),
    baseImageTrigger: { name: baseImageTriggerName, baseImageTriggerType: 'Runtime', status: 'Enabled' },
    ...(changes['trigger'] as Json | undefined),
  };
  return {
    status: 'Enabled',
    platform: { os: 'Linux', architecture: 'amd64' },
    ...changes,
    step: newStep(options, environment),
    trigger,
  };
}

/** What the options say of a task that is there; what they do not say stays. @throws CommandError */
export function changedTask(options: TaskOptions, environment: Environment): Json {
  const { status, platform = [], timeout, agentPool } = options;
  const step = changedStep(options, environment);
  const trigger = changedTriggers(options, environment);
  const [first] = platformsOf(platform);
  return {
    ...(status !== undefined && { status: oneOf('--status', status, ['Enabled', 'Disabled']) }),
    ...(first !== undefined && { platform: platformOf(first) }),
    ...(timeout !== undefined && { timeout }),
    ...(agentPool !== undefined && { agentPoolName: agentPool }),
    ...(Object.keys(step).length > 0 && { step }),
    ...(Object.keys(trigger).length > 0 && { trigger }),
  };
}

function newStep(options: TaskOptions, environment: Environment): Json {
  const { cmd, file = 'Dockerfile', image = [], push } = options;
  const own = changedStep(options, environment);
  const isFile = cmd === undefined && taskFileName.test(file);
  if (cmd !== undefined) return { type: 'EncodedTask', ...own };
  if (isFile) return { type: 'FileTask', ...own };
  return { type: 'Docker', dockerFilePath: file, imageNames: image, ...own, isPushEnabled: image.length > 0 && push !== false };
}

/** Only what was said: `type` is that of the step, unless it is another kind of step from now on. */
function changedStep(options: TaskOptions, environment: Environment): Json {
  const { context, cmd, file, image, values, target, cache, push, platform = [] } = options;
  const token = gitToken(options, environment);
  const isFile = file !== undefined && taskFileName.test(file);
  const platforms = platformsOf(platform);
  const named = [...readValues('--set', options.set), ...readSecretValues('--set-secret', options.setSecret, environment)];
  const args = [
    ...readArguments('--arg', options.arg, environment),
    ...readSecretValues('--secret-arg', options.secretArg, environment),
  ];
  return {
    ...(context !== undefined && { contextPath: context }),
    ...(context !== undefined && token !== undefined && isRepository(context) && { contextAccessToken: token }),
    ...(cmd !== undefined && {
      type: 'EncodedTask',
      encodedTaskContent: Buffer.from(commandFile(cmd, options.timeout ?? usualCommandTimeoutSeconds)).toString('base64'),
    }),
    ...(file !== undefined &&
      cmd === undefined &&
      (isFile ? { type: 'FileTask', taskFilePath: file } : { type: 'Docker', dockerFilePath: file })),
    ...(image !== undefined && { imageNames: image, isPushEnabled: push !== false }),
    ...(image === undefined && push === false && { isPushEnabled: false }),
    ...(values !== undefined && { valuesFilePath: values }),
    ...(target !== undefined && { target }),
    ...(cache === false && { noCache: true }),
    ...(platforms.length > 1 && { platforms }),
    ...(options.sbom === true && { sbom: true }),
    ...(options.provenance === true && { provenance: true }),
    ...(args.length > 0 && { arguments: args }),
    ...(named.length > 0 && { values: named }),
  };
}

/** Whether a change can only be told with the task's own context, which need not be said again. */
export function needsContext(options: TaskOptions): boolean {
  return options.context === undefined && (speaksOfSource(options) || options.cmd !== undefined || options.file !== undefined);
}

function speaksOfSource(options: TaskOptions): boolean {
  const { commitTriggerEnabled, pullRequestTriggerEnabled, branch, path, gitTag, poll, forge } = options;
  return [commitTriggerEnabled, pullRequestTriggerEnabled, branch, path, gitTag, poll, forge].some((each) => each !== undefined);
}

function changedTriggers(options: TaskOptions, environment: Environment): Json {
  const { schedule, baseImageTriggerType, baseImageTriggerEnabled } = options;
  const speaksOfBase = baseImageTriggerType !== undefined || baseImageTriggerEnabled !== undefined;
  return {
    ...(schedule !== undefined && { timerTriggers: timerTriggers(schedule, options.timeZone) }),
    ...(speaksOfSource(options) && { sourceTriggers: sourceTriggers(options, environment) }),
    ...(speaksOfBase && {
      baseImageTrigger: {
        name: baseImageTriggerName,
        baseImageTriggerType: oneOf('--base-image-trigger-type', baseImageTriggerType ?? 'Runtime', ['Runtime', 'All']),
        status: baseImageTriggerEnabled === false ? 'Disabled' : 'Enabled',
      },
    }),
  };
}

/** `NAME:CRON`, or a schedule alone, which is called t1, t2 and so on (acr-tasks 6.2). */
function timerTriggers(schedules: readonly string[], timeZone: string | undefined): readonly Json[] {
  return schedules.map((text, index) => {
    const [, name = `t${index + 1}`, cron = ''] = /^(?:([A-Za-z0-9_.-]+):)?(.*)$/s.exec(text) ?? [];
    return { name, schedule: cron.trim(), status: 'Enabled', ...(timeZone !== undefined && { timeZone }) };
  });
}

function sourceTriggers(options: TaskOptions, environment: Environment): readonly Json[] {
  const { context, commitTriggerEnabled: commits, pullRequestTriggerEnabled: pulls, branch, path, gitTag, poll } = options;
  const isOff = commits === false && pulls !== true;
  const events = [...(commits === false ? [] : ['commit']), ...(pulls === true ? ['pullrequest'] : [])];
  if (!isRepository(context))
    throw new CommandError(
      'what happens in a repository can only be watched in one',
      'name the git repository with --context https://host/repository.git#branch:folder, too',
    );
  const [address = '', fragment = ''] = (context ?? '').split('#');
  const token = gitToken(options, environment);
  const named = branch ?? fragment.split(':')[0];
  return [
    {
      name: sourceTriggerName,
      status: isOff ? 'Disabled' : 'Enabled',
      sourceTriggerEvents: isOff ? ['commit'] : events,
      sourceRepository: {
        sourceControlType: options.forge === undefined ? forgeOf(address) : oneOf('--forge', options.forge, forges),
        repositoryUrl: address,
        ...(named !== undefined && named !== '' && { branch: named }),
        ...(token !== undefined && { sourceControlAuthProperties: { tokenType: 'PAT', token } }),
      },
      ...(path !== undefined && { paths: path }),
      ...(gitTag !== undefined && { tags: gitTag }),
      ...(poll !== undefined && { pollSeconds: poll }),
    },
  ];
}

const forges = ['Github', 'VisualStudioTeamService', 'Gitlab', 'Gitea', 'Bitbucket', 'Git'];

function forgeOf(address: string): string {
  const host = URL.parse(address)?.hostname ?? '';
  if (host === 'dev.azure.com' || host.endsWith('.visualstudio.com')) return 'VisualStudioTeamService';
  return ['Github', 'Gitlab', 'Bitbucket', 'Gitea'].find((forge) => host.includes(forge.toLowerCase())) ?? 'Git';
}

/** Of a variable or a file: an argument could be read by every user of the machine. @throws CommandError */
function gitToken({ gitAccessTokenFile: file }: TaskOptions, environment: Environment): string | undefined {
  if (file === undefined) return environment['BERTH_GIT_TOKEN'] === '' ? undefined : environment['BERTH_GIT_TOKEN'];
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new CommandError(`the token file ${file} cannot be read`, 'name a file that is there, or set BERTH_GIT_TOKEN', {
      cause: error,
    });
  }
}

function isRepository(context: string | undefined): boolean {
  return (
    context !== undefined &&
    /^https?:\/\//.test(context) &&
    /(?:\.git\/?(?:#|$)|#|\/_git\/|^https:\/\/github\.com\/)/.test(context)
  );
}

function platformsOf(texts: readonly string[]): readonly string[] {
  return texts.flatMap((text) => text.split(',')).map((text) => text.trim().toLowerCase());
}

function oneOf(option: string, text: string, allowed: readonly string[]): string {
  const found = allowed.find((each) => each.toLowerCase() === text.toLowerCase());
  if (found === undefined) throw new CommandError(`${option} ${text} is not known`, `take one of ${allowed.join(', ')}`);
  return found;
}
