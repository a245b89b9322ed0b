import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { readOptions } from './agent-options.ts';
import { helpText } from './help.ts';
import { optionNames } from './option-table.ts';
import { AgentRefusal } from './refusal.ts';

const environment = { BERTH_SERVER: 'https://berth.example.com/', BERTH_AGENT_KEY: 'key' };

describe('options of the agent', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'berth-options-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  test('have defaults', () => {
    const options = readOptions([], environment);
    assert.equal(options.server.href, 'https://berth.example.com/');
    assert.equal(options.engine, 'auto');
    assert.ok(options.concurrency >= 1);
    assert.equal(options.limits.allowsPrivileged, false);
    assert.equal(options.limits.allowsEngineSocket, false);
    assert.equal(options.idleExitSeconds, undefined);
    assert.equal(options.endsWithInput, false);
  });

  test('are read with their units, arguments before variables', () => {
    writeFileSync(join(folder, 'a.pem'), '-----BEGIN CERTIFICATE-----\na\n');
    writeFileSync(join(folder, 'b.pem'), '-----BEGIN CERTIFICATE-----\nb\n');
    writeFileSync(join(folder, 'key'), 'from-file\n');
    const argv =
      '--name n --engine podman --engine-host unix:///x --concurrency 3 --work w --memory 512M --processes 9 --disk 1G --output 10k --idle-exit 10m --grace 5 --allow-privileged --allow-engine-socket';
    const options = readOptions([...argv.split(' '), '--ca', join(folder, 'a.pem')], {
      BERTH_SERVER: 'http://127.0.0.1:5000',
      BERTH_AGENT_KEY_FILE: join(folder, 'key'),
      BERTH_AGENT_PARENT: 'stdin',
      BERTH_CA: join(folder, 'b.pem'),
    });
    assert.equal(options.key, 'from-file');
    assert.match(options.authority ?? '', /\na\n/);
    assert.deepEqual(options.limits, {
      memoryBytes: 512 * 2 ** 20,
      processes: 9,
      diskBytes: 2 ** 30,
      outputBytes: 10_240,
      allowsPrivileged: true,
      allowsEngineSocket: true,
    });
    assert.deepEqual(
      [
        options.name,
        options.engine,
        options.engineHost,
        options.concurrency,
        options.idleExitSeconds,
        options.graceSeconds,
        options.endsWithInput,
      ],
      ['n', 'podman', 'unix:///x', 3, 600, 5, true],
    );
  });

  const refused: readonly (readonly [readonly string[], Readonly<Record<string, string>>, RegExp])[] = [
    [[], {}, /which server/],
    [[], { BERTH_SERVER: 'ftp://x', BERTH_AGENT_KEY: 'k' }, /no address of a server/],
    [[], { BERTH_SERVER: 'https://u:p@x', BERTH_AGENT_KEY: 'k' }, /no address of a server/],
    [[], { BERTH_SERVER: 'https://x' }, /no key/],
    [[], { BERTH_SERVER: 'https://x', BERTH_AGENT_KEY_FILE: '/none' }, /cannot be read/],
    [[], { BERTH_SERVER: 'https://x', BERTH_AGENT_KEY: 'a b' }, /no key has/],
    [['--key', 'x'], environment, /never an argument/],
    [['--nope'], environment, /Unknown option '--nope'/],
    [['extra'], environment, /Unexpected argument 'extra'/],
    [['--engine', 'lxc'], environment, /--engine cannot be "lxc"/],
    [['--concurrency', '0'], environment, /--concurrency cannot be "0"/],
    [['--memory', 'much'], environment, /--memory cannot be "much"/],
    [['--idle-exit', 'soon'], environment, /--idle-exit cannot be "soon"/],
    [['--name', ''], environment, /--name cannot be ""/],
    [['--ca', '/none'], environment, /the authority \/none cannot be read/],
  ];
  for (const [argv, variables, message] of refused)
    test(`are refused: ${argv.join(' ')} ${Object.keys(variables).join(' ')} → ${message.source}`, () => {
      assert.throws(
        () => readOptions(argv, variables),
        (error: unknown) => error instanceof AgentRefusal && message.test(error.message) && error.nextStep !== '',
      );
    });

  test('stand in the help, with an example', () => {
    const help = helpText();
    for (const name of optionNames) assert.ok(help.includes(`--${name}`), name);
    for (const name of ['BERTH_SERVER=https', 'BERTH_AGENT_KEY_FILE', 'Exit codes']) assert.ok(help.includes(name));
    for (const line of help.split('\n')) assert.ok(line.length <= 140, line);
  });
});
