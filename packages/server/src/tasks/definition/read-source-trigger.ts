import { type Fields, invalid } from '../../resources/index.ts';
import type { SourceTrigger } from '../model.ts';
import { parseSourceLocation, tokenHostOf } from '../source-location.ts';
import type { ReadScene } from './read-scene.ts';

const events = ['commit', 'pullrequest'] as const;
const forges = ['Github', 'VisualStudioTeamService', 'Gitlab', 'Gitea', 'Bitbucket', 'Git'] as const;
const maxGlobs = 100;
const maxGlobLength = 256;
const maxTokenLength = 8192;

type Repository = SourceTrigger['sourceRepository'];
type Auth = NonNullable<Repository['sourceControlAuthProperties']>;

/** Reads one of `sourceTriggers` (acr-tasks 6.1), over the one of its name that was there. @throws INVALID_PARAMETER */
export function readSourceTrigger(fields: Fields, before: SourceTrigger | undefined, scene: ReadScene): SourceTrigger {
  const status = fields.oneOf('status', ['Enabled', 'Disabled']) ?? before?.status ?? 'Enabled';
  const sourceTriggerEvents = readEvents(fields) ?? before?.sourceTriggerEvents ?? [];
  if (status === 'Enabled' && sourceTriggerEvents.length === 0)
    throw invalid(fields.at('sourceTriggerEvents'), `must name at least one of ${events.join(', ')}`);
  const paths = readGlobs(fields, 'paths') ?? before?.paths;
  const tags = readGlobs(fields, 'tags') ?? before?.tags;
  const pollSeconds = fields.integer('pollSeconds', { min: 0, max: 86_400 }) ?? before?.pollSeconds ?? 0;
  if (pollSeconds > 0 && pollSeconds < 30) throw invalid(fields.at('pollSeconds'), 'must be 30 to 86400, or 0: do not ask');
  return {
    name: before?.name ?? fields.requiredText('name'),
    status,
    sourceTriggerEvents,
    sourceRepository: readRepository(fields.object('sourceRepository'), before?.sourceRepository, scene),
    ...(paths !== undefined && paths.length > 0 && { paths }),
    ...(tags !== undefined && tags.length > 0 && { tags }),
    ...(pollSeconds > 0 && { pollSeconds }),
  };
}

function readEvents(fields: Fields): SourceTrigger['sourceTriggerEvents'] | undefined {
  return fields.texts('sourceTriggerEvents', 10)?.map((text, index) => {
    const known = events.find((event) => event === text.toLowerCase());
    if (known !== undefined) return known;
    throw invalid(
      `${fields.at('sourceTriggerEvents')}[${index}]`,
      `must be one of ${events.join(', ')}, not ${JSON.stringify(text.slice(0, 64))}`,
    );
  });
}

function readRepository(fields: Fields, before: Repository | undefined, scene: ReadScene): Repository {
  const at = fields.at('repositoryUrl');
  const given = fields.text('repositoryUrl', 2048) ?? before?.repositoryUrl ?? fields.requiredText('repositoryUrl');
  const { source, text, token } = parseSourceLocation(given, at);
  const isWeb = /^https?:\/\//.test(text) && (source?.kind === 'git' || source?.kind === 'archive');
  if (!isWeb) throw invalid(at, 'must be the https:// address of a git repository');
  const type = fields.oneOf('sourceControlType', forges) ?? before?.sourceControlType;
  if (type === undefined) throw invalid(fields.at('sourceControlType'), `is missing: one of ${forges.join(', ')}`);
  const branch = fields.text('branch', maxGlobLength) ?? before?.branch;
  if (branch !== undefined) requireGlob(branch, fields.at('branch'));
  // Another host must not get the token of the one before (attack 30).
  const isSameHost = before !== undefined && tokenHostOf(text) === tokenHostOf(before.repositoryUrl);
  const auth = readAuth(fields, isSameHost ? before.sourceControlAuthProperties : undefined, { ...scene, tokenInAddress: token });
  return {
    sourceControlType: type,
    repositoryUrl: text,
    ...(branch !== undefined && branch !== '' && { branch }),
    ...(auth !== undefined && { sourceControlAuthProperties: auth }),
  };
}

function readAuth(
  repository: Fields,
  before: Auth | undefined,
  { seal, tokenInAddress }: ReadScene & { readonly tokenInAddress: string | undefined },
): Auth | undefined {
  const fields = repository.object('sourceControlAuthProperties');
  const token = fields.text('token', maxTokenLength) ?? tokenInAddress;
  const sealed = token === undefined ? before?.token : token === '' ? undefined : seal(token);
  if (sealed === undefined) return undefined;
  const refresh = fields.text('refreshToken', maxTokenLength);
  const refreshToken = refresh === undefined ? before?.refreshToken : refresh === '' ? undefined : seal(refresh);
  const scope = fields.text('scope') ?? before?.scope;
  const expiresIn = fields.integer('expiresIn', { min: 0, max: 2 ** 31 - 1 }) ?? before?.expiresIn;
  return {
    tokenType: fields.oneOf('tokenType', ['PAT', 'OAuth']) ?? before?.tokenType ?? 'PAT',
    token: sealed,
    ...(refreshToken !== undefined && { refreshToken }),
    ...(scope !== undefined && { scope }),
    ...(expiresIn !== undefined && { expiresIn }),
  };
}

function readGlobs(fields: Fields, name: 'paths' | 'tags'): readonly string[] | undefined {
  const globs = fields.texts(name, maxGlobs);
  for (const [index, glob] of (globs ?? []).entries()) {
    const at = `${fields.at(name)}[${index}]`;
    if (glob === '') throw invalid(at, 'is empty');
    requireGlob(glob, at);
  }
  return globs;
}

function requireGlob(glob: string, at: string): void {
  // oxlint-disable-next-line no-control-regex -- those are what a name must not hold
  if (glob.length > maxGlobLength || /[\u0000-\u001f\u007f]/.test(glob))
    throw invalid(at, `must be a name or a pattern such as release/* of at most ${maxGlobLength} characters`);
  if ((glob.match(/\*/g) ?? []).length > 10) throw invalid(at, 'has more than ten "*"');
}
