import { matchesGlobs, someMatchGlobs } from './match-globs.ts';
import { type PullRequestEvent, type PushEvent, type SourceEvent, refOf } from './model.ts';

/** What a trigger looks for, and what it saw. */
export interface Question {
  readonly event: SourceEvent;
  readonly isEnabled: boolean;
  readonly events: readonly ('commit' | 'pullrequest')[];
  /** A name or a glob. Undefined: nobody says, and every name that a first branch usually has is taken. */
  readonly branch: string | undefined;
  readonly tags: readonly string[];
  readonly paths: readonly string[];
  /** The commit that ran last for the event's ref, or was there when the trigger began to look. */
  readonly lastCommit: string | undefined;
}

export interface Decision {
  readonly isFired: boolean;
  readonly reason: string;
  /** The trigger is concerned, and need not be asked about this commit again. */
  readonly isSeen: boolean;
}

const usualBranches = ['main', 'master'];

/** Whether an event makes the task run, and why. No I/O: the same question has the same answer. */
export function decide(question: Question): Decision {
  const { event, isEnabled, lastCommit } = question;
  if (!isEnabled) return unconcerned('the trigger or its task is disabled');
  const refused = event.kind === 'push' ? againstPush(event, question) : againstPullRequest(event, question);
  if (refused !== undefined) return unconcerned(refused);
  if (event.kind === 'push' && event.refKind === 'branch' && event.isCreated && event.commitCount === 0)
    return no(`the branch ${event.name} was made without new commits`);
  if (event.commit !== null && lastCommit?.startsWith(event.commit) === true)
    return no(`${refOf(event)} is at ${short(event.commit ?? '')}, which was seen before`);
  const skip = /\[(?:skip ci|ci skip)\]/i.exec(event.message ?? '');
  if (skip !== null) return no(`the message of the head commit says ${skip[0]}`);
  return judgePaths(event, question);
}

function againstPush(event: PushEvent, { events, tags, branch }: Question): string | undefined {
  const { refKind, name } = event;
  if (!events.includes('commit')) return 'the trigger does not listen to commits';
  if (refKind === 'tag' && (tags.length === 0 || !matchesGlobs(tags, name)))
    return tags.length === 0
      ? `the trigger has no globs for tags such as ${name}`
      : `the tag ${name} does not match ${tags.join(', ')}`;
  if (refKind === 'branch' && !isBranch(name, branch)) return otherBranch(name, branch);
  if (event.commit === null) return `the ${refKind} ${name} was deleted`;
  return undefined;
}

function againstPullRequest({ number, targetBranch }: PullRequestEvent, { events, branch }: Question): string | undefined {
  if (!events.includes('pullrequest')) return 'the trigger does not listen to pull requests';
  if (!isBranch(targetBranch, branch))
    return `the pull request ${number} is for another branch: ${otherBranch(targetBranch, branch)}`;
  return undefined;
}

function judgePaths(event: SourceEvent, { paths }: Question): Decision {
  const what = whatHappened(event);
  if (paths.length === 0 || (event.kind === 'push' && event.refKind === 'tag')) return yes(what);
  const { changedFiles } = event.kind === 'push' ? event : { changedFiles: undefined };
  if (changedFiles === undefined) return yes(`${what}; the changed files are not all told, so that paths do not hold it up`);
  const isTouched = someMatchGlobs(paths, changedFiles);
  if (isTouched === undefined) return yes(`${what}; too many changed files to look at, so that paths do not hold it up`);
  return isTouched
    ? yes(`${what}, with changes in ${paths.join(', ')}`)
    : no(`${what}, but nothing in ${paths.join(', ')} changed`);
}

function whatHappened(event: SourceEvent): string {
  if (event.kind === 'push') return `the ${event.refKind} ${event.name} moved to ${short(event.commit ?? '')}`;
  const trust = event.isFork ? '; it comes from a fork, and gets no secrets' : '';
  return `the pull request ${event.number} for ${event.targetBranch} is at ${short(event.commit)}${trust}`;
}

function isBranch(name: string, branch: string | undefined): boolean {
  return branch === undefined ? usualBranches.includes(name) : name === branch || matchesGlobs([branch], name);
}

function otherBranch(name: string, branch: string | undefined): string {
  return `the branch ${name} is not ${branch ?? usualBranches.join(' or ')}`;
}

function short(commit: string): string {
  return commit.slice(0, 12);
}

function yes(reason: string): Decision {
  return { isFired: true, reason, isSeen: true };
}

function no(reason: string): Decision {
  return { isFired: false, reason, isSeen: true };
}

function unconcerned(reason: string): Decision {
  return { isFired: false, reason, isSeen: false };
}
