import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failed, runBerth, succeeded } from './run-berth.ts';

const own = ['serve', 'status', 'keys', 'scrub', 'purge', 'cleanup', 'gc', 'passwords', 'identity', 'issuer', 'login', 'logout'];
const commands = [...own, 'build', 'run', 'logs', 'runs', 'task', 'secrets', 'agent', 'agents', 'agent-keys'];

test('--help names every command and goes to the output', async () => {
  const help = succeeded(await runBerth(['--help']));
  assert.match(help, /^Usage: berth \[options\] \[command\]\n/);
  for (const command of commands) assert.match(help, new RegExp(`\\n  ${command} `));
  for (const option of ['--data <folder>', '--ca <file>', '--json', '--version']) assert.ok(help.includes(option), option);
});

test('each command has a help of its own', async () => {
  assert.match(succeeded(await runBerth(['scrub', '--help'])), /--pace <size>[^]+--wait[^]+--status/);
  assert.match(succeeded(await runBerth(['keys', 'rotate', '--help'])), /--data-key/);
  assert.match(succeeded(await runBerth(['purge', '--help'])), /--filter <repository:tag>[^]+--ago <duration>[^]+--dry-run/);
  assert.match(succeeded(await runBerth(['help', 'passwords'])), /regenerate <password\|password2>/);
});

test('build, run and task run say what their exit codes mean', async () => {
  for (const args of [['build'], ['run'], ['task', 'run']])
    assert.match(
      succeeded(await runBerth([...args, '--help'])),
      /Exit codes: 0 the run succeeded, 1 it failed, 2 [^]+3 [^]+4 [^]+5 /,
    );
});

test('serve --help is that of the server', async () => {
  assert.match(succeeded(await runBerth(['serve', '--help'])), /^Usage: berth serve [^]+--tls auto, BERTH_TLS/);
});

test('--version prints the version and nothing else', async () => {
  assert.match(succeeded(await runBerth(['--version'])), /^\d+\.\d+\.\d+\n$/);
});

test('without a command the help goes to the error output', async () => {
  for (const args of [[], ['keys'], ['passwords']]) {
    const { code, stdout, stderr } = await runBerth(args);
    assert.deepEqual({ code, stdout }, { code: 1, stdout: '' }, args.join(' '));
    assert.match(stderr, /^Usage: berth /, args.join(' '));
  }
});

test('what it does not know is refused in one sentence with where help is', async () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ["unknown command 'restart'", ['restart']],
    ["unknown command 'turn'", ['keys', 'turn']],
    ["unknown option '--quick'", ['--quick']],
    ["unknown option '--quick'", ['status', '--quick']],
    ["option '--data <folder>' argument missing", ['status', '--data']],
    ["missing required argument 'password|password2'", ['passwords', 'regenerate']],
    ["too many arguments for 'gc'. Expected 0 arguments but got 1: now", ['gc', 'now']],
    ["option '--status' cannot be used with option '--wait'", ['scrub', '--status', '--wait']],
    ["option '--untagged-only' cannot be used with option '--untagged'", ['purge', '--untagged', '--untagged-only']],
    ["option '--keep <n>' argument 'few' is invalid. It must be a whole number", ['purge', '--keep', 'few']],
    ["option '--status' cannot be used with option '--pace <size>'", ['scrub', '--status', '--pace', '1MiB']],
  ];
  for (const [why, args] of cases)
    assert.deepEqual(failed(await runBerth(args)), { why, next: 'berth --help lists the commands' });
});

test('a command that is nearly right is guessed', async () => {
  const { code, stderr } = await runBerth(['stauts']);
  assert.equal(code, 1);
  assert.equal(stderr, "berth: unknown command 'stauts'.\n(Did you mean status?)\nNext: berth --help lists the commands.\n");
});
