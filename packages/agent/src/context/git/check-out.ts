import { SourceError } from '../source-error.ts';
import type { Git } from './git-program.ts';
import { nextStepOf } from './next-step.ts';

export interface GitTarget {
  readonly url: string;
  /** Branch, tag, commit, `pull/N/head` or `pull/N/merge`; undefined: what the server calls HEAD. */
  readonly ref: string | undefined;
  /** Exactly this one, of `ref`. */
  readonly commit: string | undefined;
  log(text: string): void;
}

export interface CheckedOut {
  readonly commit: string;
  readonly branch: string | undefined;
}

interface Remote {
  /** By name: `refs/heads/main`. */
  readonly refs: ReadonlyMap<string, string>;
  readonly defaultBranch: string | undefined;
}

const commitPattern = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** Fetches as little as the server lets one, and checks it out. @throws SourceError */
export async function checkOut(git: Git, target: GitTarget): Promise<CheckedOut> {
  const { url, ref, commit, log } = target;
  await git.query(['init', '--quiet'], 'a repository cannot be made');
  await git.query(['remote', 'add', 'origin', url], 'a repository cannot be made');
  log(`fetches ${url}${ref === undefined ? '' : `, ${ref}`}`);
  const remote = await readRemote(git, target);
  const { refspec, branch } = choose(remote, target);
  const wanted = commit ?? (refspec === undefined ? ref : undefined);
  const found = await fetchCommit(git, { refspec, wanted, url });
  const out = await git.run(['checkout', '--quiet', '--force', '--detach', found, '--']);
  if (!out.isDone) throw new SourceError(`the commit ${found} of ${url} cannot be checked out: ${out.complaint}`);
  log(`checked out ${found}${branch === undefined ? '' : ` of ${branch}`}`);
  return { commit: found, branch };
}

/** What the server has of what is asked for. */
async function readRemote(git: Git, { url, ref }: GitTarget): Promise<Remote> {
  const names = ref === undefined ? [] : [ref, `refs/heads/${ref}`, `refs/tags/${ref}`, `refs/${ref}`];
  const { isDone, output, complaint } = await git.run(['ls-remote', '--symref', 'origin', 'HEAD', ...names], { isQuiet: true });
  if (!isDone) throw new SourceError(`${url} cannot be read: ${complaint.replace(/\.+$/, '')}. ${nextStepOf(complaint)}`);
  const refs = new Map<string, string>();
  let defaultBranch: string | undefined;
  for (const line of output.split('\n')) {
    const [left = '', name = ''] = line.split('\t');
    if (left.startsWith('ref: refs/heads/') && name === 'HEAD') defaultBranch = left.slice('ref: refs/heads/'.length);
    else if (commitPattern.test(left)) refs.set(name, left);
  }
  return { refs, defaultBranch };
}

/** What to ask the server for; no refspec: the ref is a commit. */
function choose(
  { refs, defaultBranch }: Remote,
  { ref, url, commit }: GitTarget,
): { readonly refspec?: string; readonly branch?: string } {
  if (ref === undefined) {
    if (!refs.has('HEAD') && commit === undefined)
      throw new SourceError(`${url} has no commits, or does not say which branch is the main one: name a branch`);
    return { refspec: 'HEAD', ...(defaultBranch !== undefined && { branch: defaultBranch }) };
  }
  const short = ref.replace(/^refs\/heads\//, '');
  if (refs.has(`refs/heads/${short}`)) return { refspec: `refs/heads/${short}`, branch: short };
  for (const name of [`refs/tags/${ref}`, `refs/${ref}`, ref])
    if (name.startsWith('refs/') && refs.has(name)) return { refspec: name };
  if (/^[0-9a-f]{7,64}$/.test(ref)) return {};
  // The branch may be gone, as after a merge; the commit need not be.
  if (commit !== undefined) return { refspec: 'HEAD', branch: short };
  throw new SourceError(
    `${url} has no branch, tag or pull request called ${JSON.stringify(ref)}: check what follows the # of the address`,
  );
}

interface Wanted {
  readonly refspec: string | undefined;
  /** Full, or the first digits. */
  readonly wanted: string | undefined;
  readonly url: string;
}

async function fetchCommit(git: Git, { refspec, wanted, url }: Wanted): Promise<string> {
  const one = wanted === undefined ? refspec : commitPattern.test(wanted) ? wanted : undefined;
  if (one !== undefined) {
    const { isDone } = await git.run(['fetch', '--quiet', '--no-tags', '--depth', '1', 'origin', one], { isQuiet: true });
    if (isDone) return resolveCommit(git, wanted ?? 'FETCH_HEAD', url);
  }
  // The server gives no single commits: everything, then.
  const everything = [
    '+refs/heads/*:refs/remotes/origin/*',
    '+refs/tags/*:refs/tags/*',
    ...(refspec === undefined ? [] : [refspec]),
  ];
  const { isDone, complaint } = await git.run(['fetch', '--quiet', 'origin', ...everything]);
  if (!isDone) throw new SourceError(`${url} cannot be fetched: ${complaint.replace(/\.+$/, '')}. ${nextStepOf(complaint)}`);
  if (wanted !== undefined) return resolveCommit(git, wanted, url);
  return resolveCommit(git, await fetchedHead(git, refspec ?? 'HEAD', url), url);
}

/** Of several things that were fetched, FETCH_HEAD is the first. */
async function fetchedHead(git: Git, refspec: string, url: string): Promise<string> {
  await git.query(['fetch', '--quiet', 'origin', refspec], `${url} cannot be fetched`);
  return 'FETCH_HEAD';
}

async function resolveCommit(git: Git, name: string, url: string): Promise<string> {
  const { isDone, output } = await git.run(['rev-parse', '--verify', '--quiet', `${name}^{commit}`], { isQuiet: true });
  const commit = output.trim();
  if (isDone && commitPattern.test(commit)) return commit;
  throw new SourceError(`${url} has no commit ${name}, or several that begin so: check it, and that it was pushed`);
}
