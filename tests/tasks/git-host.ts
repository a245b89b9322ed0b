import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { findProgram, runProgram } from '../clients/client-program.ts';
import type { TaskWorld } from './task-world.ts';

const author = {
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@example.test',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@example.test',
};

/** A git server in the network of a world, with repositories that tests push to by the file system. */
export class GitHost {
  readonly #world: TaskWorld;
  readonly #child: ChildProcess;
  readonly #root: string;
  readonly #port: string;

  private constructor(world: TaskWorld, child: ChildProcess, { root, port }: { readonly root: string; readonly port: string }) {
    this.#world = world;
    this.#child = child;
    this.#root = root;
    this.#port = port;
  }

  /** @param credentials `user:password` that it asks for */
  static async start(world: TaskWorld, credentials?: string): Promise<GitHost> {
    const root = join(world.folder, `git-${credentials === undefined ? 'open' : 'closed'}`);
    await mkdir(root);
    const program = fileURLToPath(new URL('./git-http-server.ts', import.meta.url));
    const { startedBy, address } = world.network;
    const [command, ...before] = [...startedBy, process.execPath, program];
    const args = [...before, root, address, ...(credentials === undefined ? [] : [credentials])];
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const [port] = (await once(createInterface(child.stdout), 'line')) as [string];
    return new GitHost(world, child, { root, port });
  }

  /** Where clients find a repository. */
  url(name: string): string {
    return `http://${this.#world.network.address}:${this.#port}/${name}.git`;
  }

  /** Makes a repository's branch hold just these files; the commit. The repository is made if need be. */
  async commit(name: string, branch: string, files: Readonly<Record<string, string>>): Promise<string> {
    const bare = join(this.#root, `${name}.git`);
    await this.#git(['init', '--quiet', '--bare', bare]);
    const tree = await this.#world.write(`checkout-${name}-${branch.replaceAll('/', '-')}`, files);
    const where = ['--git-dir', bare, '--work-tree', tree];
    await this.#git([...where, 'symbolic-ref', 'HEAD', `refs/heads/${branch}`]);
    await this.#git([...where, 'add', '--all', '.'], tree);
    await this.#git([...where, 'commit', '--quiet', '--message', 'change']);
    await rm(tree, { recursive: true });
    const { stdout } = await this.#git([...where, 'rev-parse', 'HEAD']);
    return stdout.trim();
  }

  /** Points a ref, such as `refs/pull/1/head`, at a commit of the repository. */
  async setRef(name: string, ref: string, commit: string): Promise<void> {
    await this.#git(['--git-dir', join(this.#root, `${name}.git`), 'update-ref', ref, commit]);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill();
    await exit;
  }

  #git(args: readonly string[], cwd?: string): ReturnType<typeof runProgram> {
    const env = { ...author, GIT_CONFIG_NOSYSTEM: '1', HOME: this.#root };
    return runProgram(findProgram('git') ?? 'git', args, { env, ...(cwd !== undefined && { cwd }) });
  }
}
