import { existsSync, mkdirSync } from 'node:fs';
import { readdir, realpath, rename, rm, rmdir, stat } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import type { RunSource } from '@berth/api';
import { requireResolved } from '../metadata-guard.ts';
import { SourceError } from '../source-error.ts';
import { type GitAddress, parseGitAddress, requireRef } from './git-address.ts';
import { Git } from './git-program.ts';
import { checkOut } from './check-out.ts';

/** Of everything together. */
const timeoutMs = 15 * 60_000;

export interface FetchGitOptions {
  /** Of the run, outside of the workspace. */
  readonly folder: string;
  readonly secretsFolder: string;
  readonly allowsLocalGit: boolean;
  /** False: a stranger wrote what is in the repository, and where its submodules and large files are (attack 33). */
  readonly isTrusted: boolean;
  readonly signal: AbortSignal;
  log(text: string): void;
  mask(secret: string): void;
}

type GitSource = Extract<RunSource, { kind: 'git' }>;

/** Checks out a repository, or one folder of it, into an empty folder. @throws SourceError, or the signal's reason */
export async function fetchGit(
  source: GitSource,
  workspace: string,
  options: FetchGitOptions,
): Promise<{ readonly commit: string; readonly branch?: string }> {
  const address = parseGitAddress(source.url, { allowsLocal: options.allowsLocalGit });
  const credentials = source.token ?? address.credentials;
  if (credentials !== undefined)
    for (const part of [credentials, credentials.slice(credentials.indexOf(':') + 1)]) options.mask(part);
  if (address.host !== undefined) await requireResolved(address.host);
  const wanted = { ref: source.ref === undefined ? undefined : requireRef(source.ref), commit: requireCommit(source.commit) };
  const inTime = AbortSignal.any([options.signal, AbortSignal.timeout(timeoutMs)]);
  // Only a whole repository may lie where the steps work.
  const folder = isWhole(source.folder) ? workspace : join(options.folder, 'repository');
  mkdirSync(folder, { recursive: true });
  try {
    const git = openGit(address, { ...options, signal: inTime, runFolder: options.folder, folder, credentials });
    const found = await checkOut(git, { url: address.url, ...wanted, log: options.log });
    await fetchRest({ git, folder, url: address.url, isTrusted: options.isTrusted, log: options.log });
    if (!isWhole(source.folder)) await moveFolder(folder, source.folder ?? '', workspace);
    return { commit: found.commit, ...(found.branch !== undefined && { branch: found.branch }) };
  } catch (error) {
    options.signal.throwIfAborted();
    if (inTime.aborted)
      throw new SourceError(`${address.url} was not cloned within ${timeoutMs / 60_000} minutes`, { cause: error });
    throw error;
  } finally {
    if (folder !== workspace) await rm(folder, { recursive: true, force: true });
    await rm(join(options.secretsFolder, 'git'), { recursive: true, force: true });
  }
}

interface OpenOptions extends FetchGitOptions {
  readonly runFolder: string;
  readonly credentials: string | undefined;
}

function openGit({ origin }: GitAddress, { credentials, allowsLocalGit, ...options }: OpenOptions): Git {
  const known = credentials !== undefined && origin !== undefined ? { origin, text: credentials } : undefined;
  return new Git({ ...options, allowsLocal: allowsLocalGit, credentials: known });
}

function requireCommit(commit: string | undefined): string | undefined {
  if (commit === undefined || /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(commit)) return commit;
  throw new SourceError(`${JSON.stringify(commit.slice(0, 100))} is no commit: give all of its 40 or 64 digits`);
}

function isWhole(folder: string | undefined): boolean {
  return folder === undefined || (/^[./\\]*$/.test(folder) && !folder.includes('..'));
}

/** What `git lfs install` writes into the configuration of a machine, which is not read here. Without it a pull leaves pointers. */
const lfsFilter = ['-c', 'filter.lfs.clean=git-lfs clean -- %f', '-c', 'filter.lfs.smudge=git-lfs smudge -- %f'];

interface CheckedOutTree {
  readonly git: Git;
  readonly folder: string;
  readonly url: string;
  readonly isTrusted: boolean;
  log(text: string): void;
}

/** What a checkout leaves out: submodules, and files that LFS keeps. */
async function fetchRest(tree: CheckedOutTree): Promise<void> {
  if (existsSync(join(tree.folder, '.gitmodules'))) await fetchSubmodules(tree);
  await fetchLarge(tree);
}

async function fetchSubmodules({ git: own, isTrusted }: CheckedOutTree): Promise<void> {
  const git = isTrusted ? own : own.withoutRights();
  const shallow = await git.run(['submodule', 'update', '--init', '--recursive', '--depth', '1'], { isQuiet: true });
  if (shallow.isDone) return;
  // A server that gives no single commits: all of it, then.
  const full = await git.run(['submodule', 'update', '--init', '--recursive']);
  if (full.isDone) return;
  const nextStep = isTrusted
    ? 'See that its address can be reached with the same token'
    : 'A run of an untrusted source gets only what everybody may read';
  throw new SourceError(`a submodule cannot be fetched: ${full.complaint}. ${nextStep}`);
}

/** Also of submodules, at any depth. */
async function fetchLarge({ git, url, isTrusted, log }: CheckedOutTree): Promise<void> {
  const places = ['--', '.gitattributes', '**/.gitattributes'];
  const found = await git.run(['grep', '--recurse-submodules', '-l', '--cached', '-e', 'filter=lfs', ...places], {
    isQuiet: true,
  });
  if (found.output === '') return;
  const isInstalled = (await git.run(['lfs', 'version'], { isQuiet: true })).isDone;
  if (!isInstalled) {
    log('warning: the repository keeps files in LFS, and git-lfs is not installed where the agent runs: they are pointers only');
    return;
  }
  const what = 'files that the repository keeps in LFS cannot be fetched';
  if (!isTrusted && !/^https?:/.test(url)) {
    log('warning: files in LFS of an untrusted source that comes over ssh are pointers only');
    return;
  }
  // A repository may name another place for its files, which the token must not be shown to.
  const place = isTrusted ? [] : ['-c', `lfs.url=${lfsAddress(url)}`];
  await git.query([...lfsFilter, ...place, 'lfs', 'pull'], what);
  const others = isTrusted ? git : git.withoutRights();
  await others.query([...lfsFilter, 'submodule', '--quiet', 'foreach', '--recursive', 'git lfs pull'], what);
}

/** Where LFS looks by itself. */
function lfsAddress(url: string): string {
  return `${url.replace(/\/+$/, '').replace(/(?:\.git)?$/, '.git')}/info/lfs`;
}

/** Makes one folder of a repository the workspace. @throws SourceError when it is not in it */
async function moveFolder(repository: string, folder: string, workspace: string): Promise<void> {
  const root = await realpath(repository);
  const shown = JSON.stringify(folder.slice(0, 200));
  const real = await realpath(resolve(root, folder.replaceAll('\\', '/').replace(/^\/+/, ''))).catch(() => undefined);
  if (real === undefined)
    throw new SourceError(`the repository has no folder ${shown}: check what follows the colon of the address`);
  const below = relative(root, real);
  const isGits = below === '.git' || below.startsWith(`.git${sep}`);
  if (below === '..' || below.startsWith(`..${sep}`) || resolve(below) === below || isGits)
    throw new SourceError(`the folder ${shown} leads out of the repository`);
  if (!(await stat(real)).isDirectory()) throw new SourceError(`${shown} is a file of the repository, not a folder`);
  if (real !== root) {
    await rmdir(workspace);
    await rename(real, workspace);
    return;
  }
  for (const name of await readdir(root)) await rename(join(root, name), join(workspace, name));
}
