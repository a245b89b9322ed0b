import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import { Refusal } from '../errors/index.ts';
import {
  type LoadedSettings,
  Secret,
  type Setting,
  explainSettings,
  helpText,
  loadSettings,
  settingsPage,
  settingsTable,
} from './index.ts';

const rows: readonly Setting[] = settingsTable;

function load(argv: readonly string[], env: Record<string, string> = {}, cwd = '/srv'): LoadedSettings {
  return loadSettings({ argv, env, cwd });
}

function refuses(act: () => unknown, pattern: RegExp): void {
  assert.throws(act, (error: unknown) => {
    assert.ok(error instanceof Refusal, String(error));
    assert.match(error.message, pattern);
    assert.notEqual(error.nextStep, '');
    return true;
  });
}

test('every row is complete, and no name, flag or variable stands twice', () => {
  for (const row of rows) {
    const variable = `BERTH_${row.name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
    assert.equal(row.env, variable);
    if (row.flag !== undefined)
      assert.equal(
        row.flag,
        row.name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
      );
    assert.match(row.help, /^\S.*\.$/, row.name);
    assert.equal(row.kind === 'secret', row.flag === undefined, `${row.name}: secrets, and only they, stay off the command line`);
    assert.equal(row.kind === 'choice', row.choices !== undefined, row.name);
    if (row.flag !== undefined) assert.equal(row.placeholder === undefined, row.kind === 'switch', row.name);
  }
  for (const column of ['name', 'flag', 'env'] as const) {
    const values = rows.flatMap((row) => row[column] ?? []);
    assert.equal(new Set(values).size, values.length, column);
  }
});

test('the help, the explanation and the reference name every setting', async () => {
  const page = settingsPage();
  const explained = explainSettings(load([]));
  for (const row of rows) {
    for (const text of [helpText(), page]) assert.ok(text.includes(row.help) && text.includes(row.env), row.name);
    assert.ok(explained.includes(`${row.name} = `), row.name);
  }
  const written = await readFile(new URL('../../../../docs/reference/settings.md', import.meta.url), 'utf8');
  assert.equal(written, page, 'run npm run docs');
});

test('the defaults of the table are valid and are what the contract says', () => {
  const { settings, sources } = load([]);
  assert.equal(settings.data, '/srv/data');
  assert.equal(settings.host, 'localhost');
  assert.equal(settings.port, 5000);
  assert.equal(settings.garbageDelayMs, 86_400_000);
  assert.equal(settings.maxHeaderSizeBytes, 16_384);
  assert.equal(settings.anonymousPull, false);
  assert.deepEqual(settings.trustedProxies, []);
  assert.equal(settings.tlsCert, undefined);
  assert.equal(sources.get('port'), 'default');
  assert.equal(sources.has('tlsCert'), false);
});

test('the command line goes before the environment, the environment before the file, the file before the default', async (t) => {
  const file = await settingsFile(t, {
    port: 1,
    host: '0.0.0.0',
    region: 'north',
    anonymousPull: true,
    trustedProxies: ['10.0.0.0/8', '::1'],
    garbageDelay: '2h',
  });
  const { settings, sources } = load(['--port', '3', '--config', file], {
    BERTH_PORT: '2',
    BERTH_REGION: 'west',
    BERTH_DATA: 'there',
    BERTH_LOG_LEVEL: '',
  });
  assert.equal(settings.port, 3);
  assert.equal(settings.region, 'west');
  assert.equal(settings.host, '0.0.0.0');
  assert.equal(settings.data, '/srv/there');
  assert.equal(settings.anonymousPull, true);
  assert.equal(settings.garbageDelayMs, 7_200_000);
  assert.deepEqual(settings.trustedProxies, ['10.0.0.0/8', '::1']);
  assert.equal(settings.logLevel, 'info', 'an empty variable is not set');
  assert.deepEqual(
    ['port', 'region', 'host', 'garbageInterval'].map((name) => sources.get(name)),
    ['command line', 'environment', 'file', 'default'],
  );
  assert.equal(load([], { BERTH_CONFIG: file }).settings.port, 1);
});

test('switches, durations, sizes and lists are read as one would write them', () => {
  assert.equal(load(['--anonymous-pull']).settings.anonymousPull, true);
  assert.equal(load(['--no-anonymous-pull'], { BERTH_ANONYMOUS_PULL: 'yes' }).settings.anonymousPull, false);
  assert.equal(load(['--stall-timeout=1500ms']).settings.stallTimeoutMs, 1500);
  assert.equal(load(['--upload-expiry', '7d']).settings.uploadExpiryMs, 604_800_000);
  assert.equal(load(['--manifest-cache', '1GiB']).settings.manifestCacheBytes, 2 ** 30);
  assert.equal(load(['--manifest-cache', '0B']).settings.manifestCacheBytes, 0);
  assert.deepEqual(load(['--trusted-proxies', ' 10.0.0.1 , ::/0,']).settings.trustedProxies, ['10.0.0.1', '::/0']);
});

test('a setting in JSON is its text anywhere, and may be an object in a file', async (t) => {
  const text = '{"Basic":{"webhooks":5}}';
  assert.equal(load(['--plan-limits', text]).settings.planLimits, text);
  assert.equal(load([], { BERTH_PLAN_LIMITS: text }).settings.planLimits, text);
  for (const planLimits of [text, JSON.parse(text) as unknown]) {
    const file = await settingsFile(t, { planLimits });
    assert.equal(load(['--config', file]).settings.planLimits, text);
  }
  for (const wrong of ['{', '[]', '5', 'null', 'Basic'])
    refuses(() => load(['--plan-limits', wrong]), /^--plan-limits must be a JSON object/);
  const list = await settingsFile(t, { planLimits: [] });
  refuses(() => load(['--config', list]), /must be a JSON object/);
});

test('a value that is none is refused in one sentence that names the place and what belongs there', () => {
  refuses(() => load(['--port', 'http']), /^--port must be a whole number, not "http"$/);
  refuses(() => load(['--port', '70000']), /^--port must be at most 65535/);
  refuses(() => load([], { BERTH_GARBAGE_DELAY: '24' }), /^BERTH_GARBAGE_DELAY must be a duration such as/);
  refuses(() => load(['--min-transfer', '5XB']), /must be a size such as/);
  refuses(() => load(['--min-transfer', '5constructor']), /must be a size such as/);
  refuses(() => load(['--log-level', 'loud']), /must be one of silent, error/);
  refuses(() => load([], { BERTH_ANONYMOUS_PULL: 'maybe' }), /must be true or false/);
  refuses(() => load(['--host', 'a b']), /^--host must be an address or a host name/);
  refuses(() => load(['--login-server', 'registry.example/path']), /^--login-server must be HOST/);
  refuses(() => load(['--region', 'Nord']), /lower-case/);
  refuses(() => load(['--blob-store', 'ftp://x']), /must be file:FOLDER or memory:/);
  refuses(() => load(['--trusted-proxies', '10.0.0.0/33']), /10\.0\.0\.0\/33/);
  refuses(() => load(['--trusted-proxies', 'proxy']), /"proxy"/);
  refuses(() => load(['--private-networks', '10.0.0.0/8,::1/129']), /^--private-networks names "::1\/129"/);
  refuses(() => load(['--rate-limits', 'on']), /must be one of off, plan/);
  refuses(() => load(['--default-plan', 'premium']), /must be one of Basic, Standard, Premium/);
  refuses(() => load(['--prot', '1']), /^unknown option '--prot'$/);
  refuses(() => load(['serve']), /unexpected argument 'serve'/i);
  refuses(() => load(['--port']), /'--port <value>' argument missing|argument missing/i);
  refuses(() => load(['--tls-cert', 'a.pem']), /tlsCert is set without tlsKey/);
  refuses(() => load(['--tls-key', 'a.pem']), /tlsKey is set without tlsCert/);
  refuses(() => load(['--tls', 'auto', '--tls-cert', 'a', '--tls-key', 'b']), /tls is auto/);
});

test('a settings file with an unknown name, a wrong type or no JSON is refused with its path', async (t) => {
  for (const [content, pattern] of [
    [{ prot: 1 }, /names "prot", which is no setting/],
    [{ config: 'other.json' }, /names "config"/],
    [{ port: { a: 1 } }, /port in .* must be a text, a number/],
    [{ port: null }, /port in .* must be a text, a number/],
    [[1], /must hold one JSON object/],
  ] as const) {
    const file = await settingsFile(t, content);
    refuses(() => load(['--config', file]), pattern);
  }
  const broken = await settingsFile(t, {});
  await writeFile(broken, '{"port": ');
  refuses(() => load(['--config', broken]), /is not JSON/);
  refuses(() => load(['--config', '/nowhere/settings.json']), /settings\.json cannot be read/);
});

test('a secret is never shown: not by text, JSON, inspection or explanation, and not when it is wrong', () => {
  const { settings } = load([], { BERTH_ADMIN_PASSWORD: 'hunter2', BERTH_DATABASE: 'postgres://berth:hunter2@db/berth' });
  assert.ok(settings.adminPassword instanceof Secret);
  assert.equal(settings.adminPassword.reveal(), 'hunter2');
  for (const shown of [
    String(settings.adminPassword),
    JSON.stringify(settings.adminPassword),
    inspect(settings.adminPassword),
    inspect({ a: [settings.adminPassword] }),
    explainSettings(load([], { BERTH_ADMIN_PASSWORD: 'hunter2', BERTH_DATABASE: 'postgres://berth:hunter2@db/berth' })),
  ]) {
    assert.doesNotMatch(shown, /hunter2/);
    assert.match(shown, /\[redacted\]/);
  }
  assert.throws(
    () => load([], { BERTH_DATABASE: 'mysql://berth:hunter2@db' }),
    (error: unknown) => error instanceof Refusal && !error.message.includes('hunter2'),
  );
});

async function settingsFile(t: TestContext, content: unknown): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-settings-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'settings.json');
  await writeFile(file, JSON.stringify(content));
  return file;
}
