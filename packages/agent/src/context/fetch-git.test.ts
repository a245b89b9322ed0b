import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { RunSource } from '@berth/api';
import { type FetchGitOptions, fetchGit } from './git/fetch-git.ts';
import { parseGitAddress, requireRef } from './git/git-address.ts';
import { SourceError } from './source-error.ts';
import { type TestGitServer, TestRepository, startGitServer } from './test-git-server.ts';

type GitSource = Extract<RunSource, { kind: 'git' }>;

describe('sources in git', () => {
  let root: string;
  let repository: TestRepository;
  let server: TestGitServer;
  let first: string;
  let head: string;
  let feature: string;
  let folder: string;
  let workspace: string;
  let said: string[];
  let masked: string[];

  before(async () => {
    root = mkdtempSync(join(tmpdir(), 'berth-git-'));
    repository = new TestRepository(join(root, 'app'));
    first = repository.commit({ Dockerfile: 'FROM scratch\n', 'sub/dir/file': 'one' });
    repository.git('tag', '--annotate', '--message=t', 'v1');
    repository.git('checkout', '--quiet', '-b', 'feature/x');
    feature = repository.commit({ 'sub/dir/file': 'feature' });
    repository.git('update-ref', 'refs/pull/7/head', feature);
    repository.git('checkout', '--quiet', 'main');
    head = repository.commit({ 'sub/dir/file': 'two' });
    server = await startGitServer(root);
  });
  after(async () => {
    await server.stop();
    rmSync(root, { recursive: true, force: true });
  });
  beforeEach(() => {
    folder = mkdtempSync(join(root, 'run-'));
    workspace = join(folder, 'workspace');
    mkdirSync(workspace);
    mkdirSync(join(folder, 'secrets'));
    said = [];
    masked = [];
  });
  afterEach(() => {
    assert.deepEqual(readdirSync(join(folder, 'secrets')), [], 'secrets of git are gone');
    rmSync(folder, { recursive: true, force: true });
  });

  const options = (allowsLocalGit = false, isTrusted = true): FetchGitOptions => ({
    folder,
    secretsFolder: join(folder, 'secrets'),
    allowsLocalGit,
    isTrusted,
    signal: new AbortController().signal,
    log: (text) => void said.push(text),
    mask: (secret) => void masked.push(secret),
  });
  const fetch = (source: Partial<GitSource> = {}, allowsLocal = false): ReturnType<typeof fetchGit> =>
    fetchGit({ kind: 'git', url: `${server.origin}/app/.git`, ...source }, emptied(), options(allowsLocal));
  const emptied = (): string => {
    rmSync(workspace, { recursive: true, force: true });
    mkdirSync(workspace);
    return workspace;
  };
  const content = (name = 'sub/dir/file'): string => readFileSync(join(workspace, name), 'utf8');
  const refuses = async (source: Partial<GitSource>, message: RegExp): Promise<void> => {
    await assert.rejects(fetch(source), (error: unknown) => {
      assert.ok(error instanceof SourceError, String(error));
      assert.match(error.message, message);
      return true;
    });
  };

  test('checks out the main branch, and says which that is', async () => {
    assert.deepEqual(await fetch(), { commit: head, branch: 'main' });
    assert.equal(content(), 'two');
  });

  test('checks out branches, tags, commits and pull requests', async () => {
    const cases: readonly (readonly [string, string, string | undefined, string])[] = [
      ['feature/x', feature, 'feature/x', 'feature'],
      ['refs/heads/feature/x', feature, 'feature/x', 'feature'],
      ['v1', first, undefined, 'one'],
      [first, first, undefined, 'one'],
      [first.slice(0, 10), first, undefined, 'one'],
      ['pull/7/head', feature, undefined, 'feature'],
    ];
    for (const [ref, commit, branch, text] of cases) {
      assert.deepEqual(await fetch({ ref }), { commit, ...(branch !== undefined && { branch }) }, ref);
      assert.equal(content(), text, ref);
    }
  });

  test('checks out exactly the commit of an event, though its branch has moved on or is gone', async () => {
    assert.deepEqual(await fetch({ ref: 'main', commit: first }), { commit: first, branch: 'main' });
    assert.equal(content(), 'one');
    assert.deepEqual(await fetch({ ref: 'deleted', commit: first }), { commit: first, branch: 'deleted' });
  });

  test('fetches everything from a server that gives no single commits', async () => {
    repository.git('config', 'uploadpack.allowAnySHA1InWant', 'false');
    try {
      assert.equal((await fetch({ ref: 'main', commit: first })).commit, first);
      assert.equal(content(), 'one');
    } finally {
      repository.git('config', 'uploadpack.allowAnySHA1InWant', 'true');
    }
  });

  test('makes one folder the workspace, and nothing else of the repository', async () => {
    assert.equal((await fetch({ folder: 'sub/dir' })).commit, head);
    assert.deepEqual(readdirSync(workspace), ['file']);
    assert.ok(!existsSync(join(folder, 'repository')));
  });

  test('attack 32: a folder that leads out is refused', async () => {
    const evil = new TestRepository(join(root, 'evil'));
    symlinkSync('/etc', join(evil.folder, 'out'));
    symlinkSync('.git', join(evil.folder, 'inner'));
    evil.commit({ a: 'a' });
    const url = `${server.origin}/evil/.git`;
    for (const [name, message] of [
      ['out', /leads out/],
      ['../..', /leads out/],
      ['inner', /leads out/],
      ['.git', /leads out/],
      ['a', /is a file/],
      ['none', /has no folder/],
    ] as const)
      await refuses({ url, folder: name }, message);
  });

  test('says what is not there, and what to do', async () => {
    await refuses({ ref: 'nope' }, /no branch, tag or pull request called "nope"/);
    await refuses({ ref: '0'.repeat(40) }, /has no commit|cannot be fetched/);
    await refuses({ url: `${server.origin}/none/.git` }, /cannot be read: .*Check the address/);
    await refuses({ url: 'http://127.0.0.1:1/x.git' }, /cannot be read/);
  });

  test('a token goes to its host alone, and into no argument, address or log', async () => {
    const token = 'ghp_secretsecret';
    const guarded = await startGitServer(root, { credentials: `x-access-token:${token}` });
    const thief = await startGitServer(root, { credentials: `x-access-token:${token}` });
    const redirecting = await startGitServer(root, { redirectTo: thief.origin });
    try {
      await refuses({ url: `${guarded.origin}/app/.git` }, /^(?!.*askpass).*give a token/);
      assert.equal((await fetch({ url: `${guarded.origin}/app/.git`, token })).commit, head);
      assert.ok(!readFileSync(join(workspace, '.git/config'), 'utf8').includes(token));
      assert.ok(!said.join('\n').includes(token));
      assert.ok(masked.includes(token));
      // As in the address, where users of ACR write it.
      const url = `${guarded.origin.replace('http://', `http://x-access-token:${token}@`)}/app/.git`;
      assert.equal((await fetch({ url })).commit, head);
      assert.ok(!readFileSync(join(workspace, '.git/config'), 'utf8').includes(token));
      await refuses({ url: `${redirecting.origin}/app/.git`, token }, /cannot be read/);
      assert.deepEqual(
        thief.requests.filter(({ authorization }) => authorization !== undefined),
        [],
      );
    } finally {
      await Promise.all([guarded.stop(), thief.stop(), redirecting.stop()]);
    }
  });

  test('fetches submodules, with the token of their host', async () => {
    const token = 'tok-tok-tok';
    const guarded = await startGitServer(root, { credentials: `x-access-token:${token}` });
    try {
      new TestRepository(join(root, 'inner')).commit({ part: 'inner' });
      const outer = new TestRepository(join(root, 'outer'));
      outer.git('submodule', 'add', '--quiet', join(root, 'inner'), 'parts/inner');
      outer.git('config', '--file', '.gitmodules', 'submodule.parts/inner.url', '../../inner/.git');
      outer.commit({ a: 'a' });
      await fetch({ url: `${guarded.origin}/outer/.git`, token });
      assert.equal(content('parts/inner/part'), 'inner');
    } finally {
      await guarded.stop();
    }
  });

  test('attack 33: what a stranger wrote brings no repository that the token, or a key of the agent, may read', async () => {
    const token = 'tok-tok-tok';
    const guarded = await startGitServer(root, { credentials: `x-access-token:${token}` });
    try {
      new TestRepository(join(root, 'private')).commit({ secret: 'of others' });
      new TestRepository(join(root, 'public')).commit({ part: 'of all' });
      const fork = new TestRepository(join(root, 'fork'));
      fork.git('submodule', 'add', '--quiet', join(root, 'public'), 'part');
      const fetchFork = (url: string, isTrusted: boolean): ReturnType<typeof fetchGit> => {
        fork.git('config', '--file', '.gitmodules', 'submodule.part.url', url);
        fork.commit({ note: url });
        return fetchGit({ kind: 'git', url: `${guarded.origin}/fork/.git`, token }, emptied(), options(false, isTrusted));
      };
      await fetchFork(`${server.origin}/public/.git`, false);
      assert.equal(content('part/part'), 'of all');
      await fetchFork('../../public/.git', true);
      for (const url of ['../../public/.git', 'ssh://git@127.0.0.1:1/public/.git'])
        await assert.rejects(fetchFork(url, false), /a submodule cannot be fetched: .*only what everybody may read/);
    } finally {
      await guarded.stop();
    }
  });

  test('files in LFS come with the rest, those of submodules too, with the token of their host', {
    skip: skipWithoutLfs(),
  }, async () => {
    const token = 'tok-tok-tok';
    const [large, other] = ['the content of a large file\n'.repeat(1000), 'another large file'];
    const largeFiles = new Map([large, other].map((text) => [hash('sha256', text), text]));
    const guarded = await startGitServer(root, { credentials: `x-access-token:${token}`, largeFiles });
    try {
      const pointers = new TestRepository(join(root, 'large'));
      const attributes = '*.bin filter=lfs diff=lfs merge=lfs -text\n';
      pointers.commit({ '.gitattributes': attributes, 'data/large.bin': pointerTo(large), 'b/other.bin': pointerTo(other) });
      const url = `${guarded.origin}/large/.git`;
      await fetch({ url, token });
      assert.deepEqual([content('data/large.bin'), content('b/other.bin')], [large, other]);
      await fetch({ url, token, folder: 'data' });
      assert.equal(content('large.bin'), large);
      const outer = new TestRepository(join(root, 'around-large'));
      outer.git('submodule', 'add', '--quiet', join(root, 'large'), 'parts/large');
      outer.git('config', '--file', '.gitmodules', 'submodule.parts/large.url', '../../large/.git');
      outer.commit({ a: 'a' });
      await fetch({ url: `${guarded.origin}/around-large/.git`, token });
      assert.equal(content('parts/large/data/large.bin'), large);
      assert.doesNotMatch(said.join('\n'), /warning/);
      const elsewhere = `[lfs]\n\turl = ${guarded.origin}/private/.git/info/lfs\n`;
      pointers.commit({ '.lfsconfig': elsewhere });
      await fetchGit({ kind: 'git', url, token }, emptied(), options(false, false));
      assert.equal(content('data/large.bin'), large);
      assert.ok(!guarded.requests.some((request) => request.url.startsWith('/private/')), 'the token goes to no other place');
      pointers.commit({ 'data/lost.bin': pointerTo('nobody has it') });
      await refuses({ url, token }, /LFS cannot be fetched: .*there is no such file/);
    } finally {
      await guarded.stop();
    }
  });

  test('attack 28: a submodule cannot run programs or read folders of this machine', async () => {
    const outer = new TestRepository(join(root, 'trap'));
    outer.git('submodule', 'add', '--quiet', join(root, 'app'), 'part');
    for (const url of [`ext::sh -c touch% ${root}/pwned`, `file://${root}/app`, `${root}/app`]) {
      outer.git('config', '--file', '.gitmodules', 'submodule.part.url', url);
      outer.commit({});
      await refuses({ url: `${server.origin}/trap/.git` }, /submodule cannot be fetched/);
    }
    assert.ok(!existsSync(join(root, 'pwned')));
  });

  test('runs no hooks, filters or helpers of the machine', async () => {
    const home = mkdtempSync(join(root, 'home-'));
    writeFileSync(join(home, '.gitconfig'), `[url "http://127.0.0.1:1/"]\n\tinsteadOf = ${server.origin}\n`);
    const before = process.env['HOME'];
    process.env['HOME'] = home;
    try {
      assert.equal((await fetch()).commit, head);
      assert.deepEqual(existsSync(join(workspace, '.git/hooks')) ? readdirSync(join(workspace, '.git/hooks')) : [], []);
    } finally {
      if (before === undefined) delete process.env['HOME'];
      else process.env['HOME'] = before;
    }
  });

  test('a run that is stopped stops git', async () => {
    const stop = new AbortController();
    stop.abort('canceled');
    await assert.rejects(
      fetchGit({ kind: 'git', url: `${server.origin}/app/.git` }, workspace, { ...options(), signal: stop.signal }),
      (reason) => reason === 'canceled',
    );
  });

  test('folders of this machine only where it is allowed', async () => {
    assert.equal((await fetch({ url: `file://${root}/app` }, true)).commit, head);
    await refuses({ url: `file://${root}/app` }, /cannot be cloned/);
  });
});

function pointerTo(text: string): string {
  return `version https://git-lfs.github.com/spec/v1\noid sha256:${hash('sha256', text)}\nsize ${text.length}\n`;
}

function skipWithoutLfs(): string | false {
  return spawnSync('git', ['lfs', 'version']).status === 0 ? false : 'git-lfs is not installed';
}

describe('what git is given', () => {
  for (const url of [
    'ext::sh -c touch% /tmp/pwned',
    '--upload-pack=touch /tmp/pwned',
    '-oProxyCommand=touch',
    'ssh://-oProxyCommand=touch/x',
    'fd::17',
    'file:///etc',
    '/etc',
    '../x',
    'gopher://host/x',
    'https://host/a b',
    'https://host/a\nb',
    'user@-host:path',
    '',
  ])
    test(`attack 28: refuses ${JSON.stringify(url)}`, () => {
      assert.throws(() => parseGitAddress(url, { allowsLocal: false }), SourceError);
    });

  for (const url of [
    'https://github.com/org/repo.git',
    'git@github.com:org/repo.git',
    'ssh://git@host:2222/x.git',
    'git://host/x',
    'https://dev.azure.com/o/p/_git/r',
  ])
    test(`takes ${url}`, () => assert.equal(parseGitAddress(url, { allowsLocal: false }).url, url));

  for (const ref of ['-x', '--upload-pack=x', 'a..b', 'a b', 'a:b', '+x', 'a^{}', '@{-1}', 'x.lock', '/x', 'x/', 'a\u0000b', '*'])
    test(`refuses the ref ${JSON.stringify(ref)}`, () => {
      if (ref === '+x') assert.equal(requireRef(ref), ref);
      else assert.throws(() => requireRef(ref), SourceError);
    });
});
