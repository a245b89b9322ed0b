import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { forEachEngine, type TestEngine } from '@berth/testkit';
import { RegistryError } from '../../errors/index.ts';
import type { Database } from '../database/index.ts';
import { openBytes, sealBytes } from '../sealing/index.ts';
import { KeyFileError, KeyMissingError, type ManagedKeyRing, WrappingKeyFile, openKeyRing } from './index.ts';
import * as given from './test-transactions.ts';
import { newWrappingKey } from './wrapping-key-file.ts';
import { dataKeyPurpose, unwrap, wrap } from './wrapping.ts';

const transactionsModule = new URL('./test-transactions.ts', import.meta.url);
const isUnavailable = (error: unknown): boolean => error instanceof RegistryError && error.error === 'KEY_UNAVAILABLE';
const signingKey = { id: 's1', privateKey: Buffer.from('private'), publicKey: '{"kty":"EC"}' };

interface Bench {
  readonly database: Database;
  readonly file: WrappingKeyFile;
  readonly clock: { time: number; now(): number };
  readonly logged: { readonly fields: object; readonly message: string }[];
  readonly open: (change?: { readonly database?: Database; readonly file?: WrappingKeyFile }) => Promise<ManagedKeyRing>;
  readonly registryId: number;
}

async function setUp(engine: TestEngine, t: TestContext): Promise<Bench> {
  const database = await engine.open(t, { transactionsModule });
  const folder = await mkdtemp(join(tmpdir(), 'berth-keys-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = new WrappingKeyFile(join(folder, 'keys', 'wrapping-key.json'));
  const clock = { time: 1_000, now: () => clock.time };
  const logged: { fields: object; message: string }[] = [];
  const note = (fields: object, message: string): void => void logged.push({ fields, message });
  const log = { warn: note, error: note } as unknown as NonNullable<Parameters<typeof openKeyRing>[0]['log']>;
  const registryId = await database.write(given.addRegistry, { name: 'r' });
  return { database, file, clock, logged, registryId, open: (change) => openKeyRing({ database, file, clock, log, ...change }) };
}

/** Resolves when what the ring does in the background is done: its changes stand in one line. */
async function settled(ring: ManagedKeyRing): Promise<void> {
  await ring.reload().catch(() => undefined);
}

forEachEngine((engine) => {
  test('what was sealed opens after a restart, also with keys that were replaced', async (t) => {
    const { open, registryId } = await setUp(engine, t);
    const ring = await open();
    assert.equal(ring.hasKey(registryId), false);
    const first = await ring.addDataKey(registryId);
    const sealed = sealBytes(first, 'x', Buffer.from('content'));
    const second = await ring.addDataKey(registryId);
    assert.equal(ring.current(registryId), second);
    const again = await open();
    assert.equal(again.hasKey(registryId), true);
    assert.equal(again.current(registryId).id, second.id);
    assert.equal(openBytes(again.get(registryId, first.id), 'x', sealed).toString(), 'content');
    assert.equal(await again.check(), undefined);
  });

  test('a key of another registry, and one that does not exist, are not available', async (t) => {
    const { database, open, registryId } = await setUp(engine, t);
    const ring = await open();
    const other = await database.write(given.addRegistry, { name: 'other' });
    const key = await ring.addDataKey(other);
    assert.throws(() => ring.get(registryId, key.id), isUnavailable);
    assert.throws(() => ring.get(registryId, 'none'), isUnavailable);
    assert.throws(() => ring.current(registryId), isUnavailable);
    await assert.rejects(ring.check(), isUnavailable);
    await settled(ring);
  });

  test('signing keys come back as they were, the oldest first', async (t) => {
    const { clock, open } = await setUp(engine, t);
    const ring = await open();
    await ring.addSigningKey(signingKey);
    clock.time += 1;
    await ring.addSigningKey({ ...signingKey, id: 'a2' });
    const keys = await (await open()).signingKeys();
    assert.deepEqual(keys, [
      { ...signingKey, isCurrent: false },
      { ...signingKey, id: 'a2', isCurrent: true },
    ]);
  });

  test('nothing that the database holds opens without the key file', async (t) => {
    const { database, open, registryId } = await setUp(engine, t);
    const ring = await open();
    const { material } = await ring.addDataKey(registryId);
    await ring.addSigningKey(signingKey);
    const rows = await database.read.selectFrom('data_keys').selectAll().execute();
    assert.equal(rows.length, 1);
    assert.equal(Buffer.from(rows[0]?.wrapped_key ?? []).includes(Buffer.from(material)), false);
    const [row] = await database.read.selectFrom('signing_keys').selectAll().execute();
    assert.equal(Buffer.from(row?.wrapped_private_key ?? []).includes('private'), false);
  });

  test('a missing key file is refused when there is data, with its place and the next step', async (t) => {
    const { file, open, registryId } = await setUp(engine, t);
    await (await open()).addDataKey(registryId);
    await rm(file.path);
    await assert.rejects(open(), (error) => {
      assert.ok(error instanceof KeyMissingError && error instanceof KeyFileError);
      assert.ok(error.message.includes(file.path));
      assert.match(error.message, /: put its backup back at that place$/);
      return true;
    });
  });

  test('attack 37: the key file of another deployment is refused', async (t) => {
    const { file, open, registryId } = await setUp(engine, t);
    await (await open()).addDataKey(registryId);
    await file.write([newWrappingKey()]);
    await assert.rejects(open(), KeyFileError);
  });

  test('attack 38: a revoked wrapping key closes the ring, and the ring opens again when it is back', async (t) => {
    const { clock, file, open, registryId } = await setUp(engine, t);
    const ring = await open();
    const key = await ring.addDataKey(registryId);
    await ring.addSigningKey(signingKey);
    await rename(file.path, `${file.path}.away`);
    await ring.reload();
    assert.throws(() => ring.current(registryId), isUnavailable);
    assert.throws(() => ring.get(registryId, key.id), isUnavailable);
    await assert.rejects(ring.addDataKey(registryId), isUnavailable);
    await assert.rejects(ring.signingKeys(), isUnavailable);
    await assert.rejects(ring.check(), isUnavailable);
    assert.equal(ring.hasKey(registryId), true);
    await rename(`${file.path}.away`, file.path);
    // Nobody tells the ring: it looks again by itself, but not with every request.
    clock.time += 60_000;
    assert.throws(() => ring.get(registryId, key.id), isUnavailable);
    assert.throws(() => ring.get(registryId, key.id), isUnavailable);
    await settled(ring);
    assert.deepEqual(Buffer.from(ring.get(registryId, key.id).material), Buffer.from(key.material));
    assert.equal((await ring.signingKeys()).length, 1);
  });

  test('attack 37: one damaged key closes its registry only', async (t) => {
    const { database, logged, open, registryId } = await setUp(engine, t);
    const ring = await open();
    const broken = await ring.addDataKey(registryId);
    const other = await database.write(given.addRegistry, { name: 'other' });
    const good = await ring.addDataKey(other);
    const [row] = await database.read.selectFrom('data_keys').selectAll().where('id', '=', good.id).execute();
    // The wrapped key of another registry in its place: the purpose that is bound in gives it away.
    await database.write(given.replaceWrapped, { id: broken.id, wrapped: row?.wrapped_key ?? Buffer.alloc(0) });
    const again = await open();
    assert.throws(() => again.current(registryId), isUnavailable);
    assert.equal(again.current(other).id, good.id);
    assert.deepEqual(logged.at(-1)?.fields, { registryId, keyId: broken.id, wrappingKeyId: row?.wrapping_key_id });
    // A rotation keeps the wrapping key that the damaged one may still need.
    const { rewrapped } = await again.rotateWrappingKey();
    assert.equal(rewrapped, 1);
    await settled(again);
  });

  test('a key that another process made is found', async (t) => {
    const { clock, open, registryId } = await setUp(engine, t);
    const [ours, theirs] = [await open(), await open()];
    const key = await theirs.addDataKey(registryId);
    assert.throws(() => ours.get(registryId, key.id), isUnavailable);
    await settled(ours);
    assert.equal(ours.get(registryId, key.id).id, key.id);
    assert.equal(ours.current(registryId).id, key.id);
    clock.time += 60_000;
    await ours.check();
  });

  test('a key file that others may read is told', async (t) => {
    const { file, logged, open } = await setUp(engine, t);
    await open();
    assert.equal(logged.length, 0);
    await chmod(file.path, 0o644);
    await open();
    assert.match(logged.at(-1)?.message ?? '', /can be read by others/);
  });

  test('looking again at a broken file is told, and changes nothing', async (t) => {
    const { file, logged, open, registryId } = await setUp(engine, t);
    const ring = await open();
    const key = await ring.addDataKey(registryId);
    await writeFile(file.path, '{');
    assert.throws(() => ring.get(registryId, 'none'), isUnavailable);
    await settled(ring);
    assert.match(logged.at(-1)?.message ?? '', /cannot be read again/);
    assert.equal(ring.current(registryId), key);
  });

  test('two processes at their first start share one wrapping key', async (t) => {
    const { open, registryId } = await setUp(engine, t);
    const rings = await Promise.all([open(), open(), open()]);
    const keys = [];
    for (const ring of rings) keys.push(await ring.addDataKey(registryId));
    const again = await open();
    for (const key of keys) assert.equal(again.get(registryId, key.id).id, key.id);
  });

  test('rotation of the wrapping key: everything opens with the new key alone, and nothing with the old', async (t) => {
    const { database, file, open, registryId } = await setUp(engine, t);
    const ring = await open();
    const key = await ring.addDataKey(registryId);
    await ring.addSigningKey(signingKey);
    const [oldWrappingKey] = (await file.read()) ?? [];
    const { id, rewrapped } = await ring.rotateWrappingKey();
    assert.equal(rewrapped, 2);
    const keys = (await file.read()) ?? [];
    assert.deepEqual(
      keys.map((each) => each.id),
      [id],
    );
    const again = await open();
    assert.deepEqual(Buffer.from(again.get(registryId, key.id).material), Buffer.from(key.material));
    assert.equal((await again.signingKeys()).length, 1);
    const [row] = await database.read.selectFrom('data_keys').selectAll().execute();
    assert.ok(row !== undefined && oldWrappingKey !== undefined);
    assert.equal(row.wrapping_key_id, id);
    assert.equal(unwrap(oldWrappingKey, dataKeyPurpose(registryId, key.id), row.wrapped_key), undefined);
    assert.equal(ring.current(registryId).id, key.id);
  });

  test('a process that missed a rotation does not wrap by the key that was dropped', async (t) => {
    const { open, registryId } = await setUp(engine, t);
    const [ours, theirs] = [await open(), await open()];
    await theirs.addDataKey(registryId);
    await ours.reload();
    await theirs.rotateWrappingKey();
    const key = await ours.addDataKey(registryId);
    await ours.addSigningKey(signingKey);
    const again = await open();
    assert.equal(again.current(registryId).id, key.id);
    assert.equal((await again.signingKeys()).length, 1);
  });

  test('keys added while rotations run open afterwards', async (t) => {
    const { open, registryId } = await setUp(engine, t);
    const [ours, theirs] = [await open(), await open()];
    const first = await ours.addDataKey(registryId);
    const added = await Promise.all([
      ours.rotateWrappingKey(),
      ...Array.from({ length: 6 }, () => theirs.addDataKey(registryId)),
      ours.rotateWrappingKey(),
    ]);
    const again = await open();
    for (const key of [first, ...added.slice(1, -1)]) assert.equal(again.get(registryId, key.id).id, key.id);
  });
});

/** Fails at one step, before or after it took effect: what a crash there leaves behind. */
interface Interruption {
  readonly name: string;
  readonly step: 'file 1' | 'rewrap' | 'file 2';
  readonly when: 'before' | 'after';
}

const interruptions: readonly Interruption[] = (['file 1', 'rewrap', 'file 2'] as const).flatMap((step) =>
  (['before', 'after'] as const).map((when) => ({ name: `${when} ${step}`, step, when })),
);

function interrupted(
  { database, file }: Bench,
  { step, when }: Interruption,
): { readonly database: Database; readonly file: WrappingKeyFile } {
  const crash = (): never => {
    throw new Error('crash');
  };
  let fileWrites = 0;
  class CrashingFile extends WrappingKeyFile {
    override async write(keys: Parameters<WrappingKeyFile['write']>[0]): Promise<void> {
      fileWrites += 1;
      const isHere = step === `file ${fileWrites}`;
      if (isHere && when === 'before') crash();
      await super.write(keys);
      if (isHere && when === 'after') crash();
    }
  }
  const write: Database['write'] = async (definition, input) => {
    const isHere = step === 'rewrap' && definition.name === 'keys.rewrap';
    if (isHere && when === 'before') crash();
    const result = await database.write(definition, input);
    if (isHere && when === 'after') crash();
    return result;
  };
  return { file: new CrashingFile(file.path), database: { ...database, engine: database.engine, read: database.read, write } };
}

forEachEngine((engine) => {
  for (const interruption of interruptions) {
    test(`attack 38: rotation interrupted ${interruption.name} is harmless, and finished by the next start`, async (t) => {
      const bench = await setUp(engine, t);
      const { database, file, open, registryId } = bench;
      const before = await open();
      const keys = [await before.addDataKey(registryId), await before.addDataKey(registryId)];
      await before.addSigningKey(signingKey);
      const ring = await open(interrupted(bench, interruption));
      await assert.rejects(ring.rotateWrappingKey(), /crash/);
      // The process that lived on serves, and makes keys that open later.
      keys.push(await ring.addDataKey(registryId));
      for (const key of keys) assert.deepEqual(Buffer.from(ring.get(registryId, key.id).material), Buffer.from(key.material));
      const again = await open();
      for (const key of keys) assert.deepEqual(Buffer.from(again.get(registryId, key.id).material), Buffer.from(key.material));
      assert.equal((await again.signingKeys()).length, 1);
      const inFile = (await file.read()) ?? [];
      assert.equal(inFile.length, 1);
      const rows = await database.read.selectFrom('data_keys').select('wrapping_key_id').execute();
      assert.deepEqual(new Set(rows.map((row) => row.wrapping_key_id)), new Set(inFile.map((key) => key.id)));
      await again.rotateWrappingKey();
      assert.equal((await open()).current(registryId).id, keys.at(-1)?.id);
    });
  }
});

test('a wrapped key opens for its purpose, by its key, unchanged; otherwise not at all', () => {
  const key = newWrappingKey();
  const wrapped = wrap(key, 'a', Buffer.from('secret'));
  assert.equal(unwrap(key, 'a', wrapped)?.toString(), 'secret');
  assert.equal(unwrap(key, 'b', wrapped), undefined);
  assert.equal(unwrap(newWrappingKey(), 'a', wrapped), undefined);
  for (let size = 0; size < wrapped.length; size += 1) assert.equal(unwrap(key, 'a', wrapped.subarray(0, size)), undefined);
  for (let index = 0; index < wrapped.length; index += 1)
    assert.equal(unwrap(key, 'a', wrapped.with(index, (wrapped[index] ?? 0) ^ 1)), undefined);
  assert.notDeepEqual(wrap(key, 'a', Buffer.from('secret')), wrapped);
});

test('the key file tells no secret in its errors', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'berth-keys-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = new WrappingKeyFile(join(folder, 'key.json'));
  const secret = Buffer.alloc(32, 7).toString('base64');
  const contents = [
    `{"key":"${secret}"`,
    'null',
    `"${secret}"`,
    '[]',
    `{"format":"berth-wrapping-keys-1","keys":["${secret}"]}`,
    '{"format":"berth-wrapping-keys-1","keys":[]}',
    '{"format":"berth-wrapping-keys-1","keys":[null]}',
  ];
  contents.push(
    `{"format":"other","keys":[{"id":"a","key":"${secret}"}]}`,
    `{"format":"berth-wrapping-keys-1","keys":[{"id":"a","key":"${secret.slice(4)}"}]}`,
    `{"format":"berth-wrapping-keys-1","keys":[{"id":1,"key":"${secret}"}]}`,
  );
  for (const content of contents) {
    await writeFile(file.path, content);
    await assert.rejects(file.read(), (error) => {
      assert.ok(error instanceof KeyFileError);
      assert.equal(`${error.stack} ${String(error.cause)}`.includes(secret.slice(4, 12)), false);
      assert.match(error.message, /: restore it from its backup$/);
      return true;
    });
  }
  await rm(file.path);
  await new WrappingKeyFile(join(file.path, 'x')).write([newWrappingKey()]);
  await assert.rejects(file.read(), /cannot be read/);
});

test('the key file and its folder are for their owner only, whatever a crash left there', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'berth-keys-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = new WrappingKeyFile(join(folder, 'key.json'));
  await writeFile(`${file.path}.new`, 'half', { mode: 0o644 });
  const key = newWrappingKey();
  await file.write([key]);
  assert.equal(await file.isExposed(), false);
  await file.create([newWrappingKey()]);
  assert.deepEqual(await file.read(), [key]);
  assert.equal(JSON.parse(await readFile(file.path, 'utf8')).format, 'berth-wrapping-keys-1');
});
