import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type ProgramOutput, type RunOptions, findProgram, isRequired, runProgram } from './client-program.ts';
import { RegistryReader } from './registry-reader.ts';
import { type Target, type Transport, startTarget, transports } from './target.ts';

/** What the tests of one client over one transport share. Its members may be used inside of tests and hooks only. */
export interface ClientSession {
  readonly target: Target;
  readonly reader: RegistryReader;
  /** A folder that goes with the session. */
  readonly folder: string;
  /** An image name in the registry. */
  image(repository: string, reference?: string): string;
  /**
   * Puts the authority of a TLS target into a folder of the session as `ca.crt`, the way that container engines look for
   * it, and returns the folder. Makes an empty folder over HTTP.
   */
  trustAuthority(...folder: readonly string[]): Promise<string>;
  /** Runs a program with a home folder of its own. */
  run(program: string, args: readonly string[], options?: RunOptions): Promise<ProgramOutput>;
}

/**
 * Defines the tests of a client over HTTP and over TLS, or over those of the two that it speaks. Where one of its programs
 * is missing they are skipped, or fail if BERTH_REQUIRE names the client.
 */
export function clientSuite(
  client: string,
  programs: readonly string[],
  define: (session: ClientSession) => void,
  spoken: readonly Transport[] = transports,
): void {
  const missing = programs.filter((program) => findProgram(program) === undefined);
  if (missing.length > 0) {
    const reason = `not installed: ${missing.join(', ')}`;
    if (isRequired(client)) test(`${client} is there`, () => assert.fail(reason));
    else describe(client, { skip: reason }, () => {});
    return;
  }
  for (const transport of spoken) {
    describe(`${client} over ${transport}`, () => {
      const session = new LazySession();
      before(async () => session.open(await mkdtemp(join(tmpdir(), `berth-${client}-`)), await startTarget(transport)));
      after(() => session.close());
      define(session);
    });
  }
}

class LazySession implements ClientSession {
  #folder: string | undefined;
  #target: Target | undefined;
  #reader: RegistryReader | undefined;

  open(folder: string, target: Target): void {
    this.#folder = folder;
    this.#target = target;
    this.#reader = new RegistryReader(target);
  }

  async close(): Promise<void> {
    await this.#reader?.close();
    await this.#target?.stop();
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
  }

  get target(): Target {
    return opened(this.#target);
  }

  get reader(): RegistryReader {
    return opened(this.#reader);
  }

  get folder(): string {
    return opened(this.#folder);
  }

  image(repository: string, reference = 'v1'): string {
    return `${this.target.host}/${repository}${reference.includes(':') ? '@' : ':'}${reference}`;
  }

  async trustAuthority(...names: readonly string[]): Promise<string> {
    const folder = join(this.folder, ...names);
    await mkdir(folder, { recursive: true });
    if (this.target.authorityFile !== undefined) await copyFile(this.target.authorityFile, join(folder, 'ca.crt'));
    return folder;
  }

  async run(program: string, args: readonly string[], options: RunOptions = {}): Promise<ProgramOutput> {
    const path = findProgram(program);
    if (path === undefined) throw new Error(`${program} is not installed`);
    const trust = this.target.authorityFile === undefined ? {} : { SSL_CERT_FILE: this.target.authorityFile };
    const env = { HOME: this.folder, TMPDIR: this.folder, ...trust, ...options.env };
    return runProgram(path, args, { cwd: this.folder, ...options, env });
  }
}

function opened<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the session is used outside of its tests');
  return value;
}
