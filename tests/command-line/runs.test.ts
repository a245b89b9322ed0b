import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, after, before, test } from 'node:test';
import type { Run, RunStep } from '@berth/api';
import { type StartedRegistry, startRegistry } from '@berth/testkit';
import { type HandAgent, handAgentOf } from './hand-agent.ts';
import { type BerthRun, type RunOptions, runBerth, succeeded } from './run-berth.ts';
import { type StartedBerth, startBerth } from './start-berth.ts';

let server: StartedRegistry;
let agent: HandAgent;

before(async () => {
  server = await startRegistry();
  agent = await handAgentOf(server);
});
after(() => server.stop());

const berth = (...args: string[]): Promise<BerthRun> => runBerth(['--data', server.dataDir, ...args]);
const start = (t: TestContext, args: readonly string[], options: RunOptions & { readonly input?: string } = {}): StartedBerth =>
  startBerth(t, ['--data', server.dataDir, ...args], options);

async function newFolder(t: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'berth context '));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

const time = '2030-01-01T00:00:00.000Z';
const stepOf = (id: string, more: Partial<RunStep> = {}): RunStep => ({
  id,
  kind: 'build',
  state: 'succeeded',
  startedAt: time,
  finishedAt: '2030-01-01T00:01:05.000Z',
  exitCode: 0,
  attempts: 1,
  ...more,
});
const digest = `sha256:${'a'.repeat(64)}`;

test('build sends the folder, shows the log with its steps, and says what came of it', async (t) => {
  const folder = await newFolder(t, {
    Dockerfile: 'FROM scratch\n',
    'a file.txt': 'text',
    'b.log': '',
    '.dockerignore': '*.log',
  });
  const args = [
    '--image',
    `${server.host}/app:v1`,
    '-t',
    'app:{{.Run.ID}}',
    '--target',
    'last',
    '--build-arg',
    'A=1',
    '--build-arg',
  ];
  const started = start(
    t,
    ['build', ...args, 'B', '--secret', 'id=TOKEN,env=C', '--platform', 'linux/amd64,linux/arm64', '--sbom', folder],
    {
      env: { B: 'two words', C: 'hidden-value' },
    },
  );
  const run = await agent.claim();
  const { work, source } = run.assignment;
  assert.deepEqual(work, {
    kind: 'build',
    images: ['app:v1', 'app:{{.Run.ID}}'],
    isPushed: true,
    target: 'last',
    platforms: ['linux/amd64', 'linux/arm64'],
    sbom: true,
    arguments: [
      { name: 'A', value: '1' },
      { name: 'B', value: 'two words' },
      { name: 'TOKEN', value: 'hidden-value', isSecret: true },
    ],
    dockerfile: 'Dockerfile',
  });
  assert.equal(source?.kind, 'upload');
  const names = execFileSync('tar', ['--list', '--gzip'], { input: await run.source() }).toString();
  assert.deepEqual(names.trim().split('\n'), ['.dockerignore', 'Dockerfile', 'a file.txt']);
  await run.report(['first', 'second \u001B[2Jline'], {
    steps: [stepOf('build', { state: 'running', finishedAt: null, exitCode: null })],
  });
  await started.printed('[build] first\n');
  await run.report(['pushed'], { steps: [stepOf('build'), stepOf('push', { kind: 'push', attempts: 2 })] }, 'push');
  const images = [{ registry: server.host, repository: 'app', tag: 'v1', digest, sizeBytes: 1536, platforms: ['linux/amd64'] }];
  await run.end('Succeeded', { images });
  const text = succeeded(await started.ended());
  assert.ok(!text.includes('hidden-value'));
  const { id } = run.assignment.run;
  assert.match(
    text,
    new RegExp(
      `^Queued as run ${id}\\.\n(?:Waiting, number 1 in the queue: [^\n]+\n)?\\[build\\] first\n\\[build\\] second \\[2Jline\n\\[push\\] pushed\n`,
    ),
  );
  assert.ok(
    text.includes(
      [
        'step   state      exit code  time',
        'build  succeeded  0          1 min 05 s',
        'push   succeeded  0          1 min 05 s  2 attempts',
        '',
        `${server.host}/app:v1@${digest}  (1.5 KiB, linux/amd64)`,
        '',
        `Run ${id} succeeded after `,
      ].join('\n'),
    ),
    text,
  );
});

test('the exit code is that of the run, and --json keeps the output for the run', async (t) => {
  const cases = [
    ['Failed', 1],
    ['Timeout', 4],
    ['Error', 5],
  ] as const;
  for (const [outcome, code] of cases) {
    const started = start(t, ['run', '--json', '--cmd', 'image test']);
    const run = await agent.claim();
    await run.report(['a line']);
    await run.end(outcome);
    const ended = await started.ended();
    assert.equal(ended.code, code, ended.stderr);
    assert.equal((JSON.parse(ended.stdout) as Run).status, outcome);
    assert.match(ended.stderr, /^Queued as run \S+\.\n[^]*\[build\] a line\n/);
  }
});

test('a command becomes a task file, a piped file and values are sent as they are', async (t) => {
  const command = start(t, [
    'run',
    '--cmd',
    '$Registry/app:v1 echo "{{.Run.ID}}"',
    '--timeout',
    '900',
    '--no-wait',
    '--platform',
    'linux/arm64',
  ]);
  const id = succeeded(await command.ended()).trim();
  const shown = JSON.parse(succeeded(await berth('--json', 'runs', 'show', id))) as Run;
  assert.deepEqual(
    [shown.platform, shown.timeoutSeconds, shown.runType],
    [{ os: 'Linux', architecture: 'arm64' }, 900, 'QuickRun'],
  );
  succeeded(await berth('runs', 'cancel', id));
  const content = 'version: v1.1.0\nsteps:\n  - cmd: {{.Values.image}} {{.Values.word}} {{.Values.pass}}\n';
  const folder = await newFolder(t, { 'values.yaml': 'image: app\nword: one\n' });
  const args = ['run', '-', '--values', join(folder, 'values.yaml'), '--set', 'word=two', '--set-secret', 'pass', '--no-logs'];
  const started = start(t, args, { input: content, env: { pass: 'hidden-value' } });
  const run = await agent.claim();
  assert.deepEqual(run.assignment.work, { kind: 'inline', content, valuesContent: 'image: app\nword: one\n' });
  assert.deepEqual(run.assignment.values, [
    { name: 'word', value: 'two' },
    { name: 'pass', value: 'hidden-value', isSecret: true },
  ]);
  assert.equal(run.assignment.source, null);
  await run.report(['not shown']);
  await run.end('Succeeded');
  assert.ok(!succeeded(await started.ended()).includes('not shown'));
});

test('a git repository, an archive and an artifact are named, and nothing is sent', async () => {
  const cases = [
    ['https://user:secret-token@git.example/team/app.git#main:sub/folder', 'git'],
    ['https://files.example/context.tar.gz', 'archive'],
    ['oci://registry.example/contexts/app:v1', 'oci'],
  ] as const;
  const sources: unknown[] = [];
  for (const [context] of cases) {
    const id = succeeded(await berth('build', '--no-push', '--no-wait', '--file', 'Other', context)).trim();
    const run = await agent.claim();
    assert.equal(run.assignment.run.id, id);
    assert.deepEqual(run.assignment.work.kind === 'build' && run.assignment.work.dockerfile, 'Other');
    sources.push(run.assignment.source);
    await run.end('Failed');
  }
  assert.deepEqual(sources, [
    { kind: 'git', url: 'https://git.example/team/app.git', ref: 'main', folder: 'sub/folder', token: 'secret-token' },
    { kind: 'archive', url: 'https://files.example/context.tar.gz' },
    { kind: 'oci', reference: 'registry.example/contexts/app:v1' },
  ]);
});

test('Ctrl-C cancels the run and waits for its end; a second one leaves at once', async (t) => {
  const started = start(t, ['run', '--cmd', 'image sleep']);
  const run = await agent.claim();
  await run.report(['begun']);
  await started.printed('begun');
  started.child.kill('SIGINT');
  await started.printed('Cancelling run');
  await run.untilCanceled();
  await run.end('Canceled');
  const { code, stdout } = await started.ended();
  assert.equal(code, 3, stdout);
  assert.match(stdout, /was cancelled/);

  const hasty = start(t, ['run', '--cmd', 'image sleep']);
  const other = await agent.claim();
  await other.report(['begun']);
  await hasty.printed('begun');
  hasty.child.kill('SIGINT');
  await hasty.printed('Cancelling run');
  hasty.child.kill('SIGINT');
  assert.equal((await hasty.ended()).code, 130);
  await other.untilCanceled();
  await other.end('Canceled');
});

test('a connection that breaks is made again, and no line is lost or shown twice', async (t) => {
  const sockets = new Set<Socket>();
  const proxy = createServer((incoming) => {
    const outgoing = connect(Number(new URL(server.url).port), '127.0.0.1');
    for (const socket of [incoming, outgoing]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
    }
    incoming.pipe(outgoing).pipe(incoming);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    proxy.close();
    for (const socket of sockets) socket.destroy();
  });
  const env = {
    BERTH_SERVER: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    BERTH_USERNAME: server.username,
    BERTH_PASSWORD: server.password,
  };
  const started = startBerth(t, ['run', '--cmd', 'image count'], { env });
  const run = await agent.claim();
  for (let count = 0; count < 4; count += 1) {
    await run.report([`line ${count} a`, `line ${count} b`]);
    await started.printed(`line ${count} b`);
    for (const socket of sockets) socket.destroy();
  }
  await run.end('Succeeded');
  const lines = succeeded(await started.ended())
    .split('\n')
    .filter((line) => line.startsWith('[build] '));
  assert.deepEqual(
    lines,
    [0, 1, 2, 3].flatMap((count) => [`[build] line ${count} a`, `[build] line ${count} b`]),
  );
});

test('logs shows, filters and follows; runs lists, shows, cancels and archives', async (t) => {
  const id = succeeded(await berth('run', '--cmd', 'image logs', '--no-wait')).trim();
  const waiting = succeeded(await berth('runs', 'show', id));
  assert.match(waiting, /number 1 in the queue: /);
  const run = await agent.claim();
  await run.report(['Alpha', 'beta'], {}, 'one');
  await run.report(['gamma alpha'], {}, 'two');
  assert.equal(succeeded(await berth('logs', id)), '[one] Alpha\n[one] beta\n[two] gamma alpha\n');
  assert.equal(succeeded(await berth('logs', id, '--step', 'two', '--raw')), 'gamma alpha\n');
  assert.equal(succeeded(await berth('logs', id, '--search', 'ALPHA')), '[one] Alpha\n[two] gamma alpha\n');
  const records = succeeded(await berth('--json', 'logs', id))
    .trim()
    .split('\n');
  assert.deepEqual(
    records.map((line) => (JSON.parse(line) as { text: string }).text),
    ['Alpha', 'beta', 'gamma alpha'],
  );
  const following = start(t, ['logs', id, '--follow']);
  await following.printed('gamma alpha');
  await run.report(['delta'], {}, 'two');
  await following.printed('[two] delta');
  await run.end('Succeeded', { images: [{ registry: server.host, repository: 'logs/image', tag: 'v9', digest }] });
  assert.equal((await following.ended()).code, 0);
  assert.match(
    succeeded(await berth('runs', '--image', 'logs/image')),
    new RegExp(`\n${id} +Succeeded +manual .* logs/image:v9\n$`),
  );
  assert.equal(succeeded(await berth('runs', '--status', 'Queued')), 'There is no such run.\n');
  assert.match(succeeded(await berth('runs', 'archive', id)), /are kept beyond their time/);
  assert.match(succeeded(await berth('runs', 'show', id)), /\nkept for good\n/);
  assert.match(succeeded(await berth('runs', 'archive', id, '--off')), /go when their time is over/);
  assert.equal(succeeded(await berth('runs', 'cancel', id)), `Run ${id} had ended before: Succeeded.\n`);
  const { code, stderr } = await berth('runs', 'cancel', id, 'none', 'nothing');
  assert.deepEqual([code, /2 of 3 runs could not be cancelled/.test(stderr)], [1, true]);
});

test('what cannot be run is refused with exit code 2 before anything is sent', async (t) => {
  const folder = await newFolder(t, { 'a.txt': '', 'task.yaml': 'version: v1.1.0\nsteps:\n  - cmd: a\n    retires: 3\n' });
  const before = (JSON.parse(succeeded(await berth('--json', 'runs', '--limit', '500'))) as unknown[]).length;
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['build', '--image', 'app:v1', folder], /^berth: \S[^\n]* has no Dockerfile\.\nNext: name the Dockerfile/],
    [['build', '--image', 'app:v1', join(folder, 'none')], /there is no folder/],
    [['build', '--image', 'app:v1', '/dev/null'], /a build needs files/],
    [['build', '--secret', 'id=A', folder], /the variable A, which is not set/],
    [['build', '--platform', 'linux/vax', '--file', '-', folder], /"linux\/vax" is no platform/],
    [['build', '--quick'], /unknown option '--quick'/],
    [['run', folder], /there is no task file acb\.yaml or /],
    [
      ['run', '--file', 'task.yaml', folder],
      /has a problem\.\n {2}4:5: steps\[0\]\.retires is not known; did you mean retries\?\n {4}4 \| {5}retires: 3\n {6}\| {5}\^\nNext: /,
    ],
    [['run', '--cmd', 'a', '--file', 'task.yaml'], /a task file or a command, not both/],
    [['run', '--cmd', 'a', '--set', 'x'], /--set x has no value/],
    [['run', '--cmd', 'a', '--set-secret', 'unset'], /variable unset is not set/],
    [['run', '--cmd', 'a', '--timeout', '10'], /timeout/],
  ];
  for (const [args, expected] of cases) {
    const started = start(t, args, { input: 'FROM scratch\n' });
    const { code, stdout, stderr } = await started.ended();
    assert.deepEqual([code, stdout], [2, ''], `${args.join(' ')}: ${stderr}`);
    assert.match(stderr, expected);
  }
  assert.equal((JSON.parse(succeeded(await berth('--json', 'runs', '--limit', '500'))) as unknown[]).length, before);
});
