import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { TestEngine } from '@berth/testkit';
import {
  type LogEntry,
  type Register,
  attributesThatHold,
  emptyRegister,
  isTagThere,
  isThere,
  readLog,
  registerOf,
  untilSettled,
} from '../changes/index.ts';
import { attributeColumns } from '../repositories/index.ts';
import { type TestCatalog, bytesOf, digestOf, image, index, openTestCatalog } from './test-catalog.ts';
import { replicate, setProperties } from './test-transactions.ts';

/** A catalog of which the log and the registers are looked at. */

export const one = image('one');
export const two = image('two');
export const list = index([one, two]);
export const [ofOne = '', ofTwo = '', ofList = ''] = [one, two, list].map((each) => digestOf(bytesOf(each)));
const soft = JSON.stringify({ policies: { softDeletePolicy: { status: 'enabled', retentionDays: 7 } } });

interface Given {
  readonly isReplicated?: boolean;
  readonly isSoft?: boolean;
}

export async function openLogged(
  engine: TestEngine,
  t: TestContext,
  { isReplicated = true, isSoft = false }: Given = {},
): Promise<TestCatalog> {
  const catalog = await openTestCatalog(engine, t);
  const { id } = catalog.registry;
  if (isReplicated) await catalog.database.write(replicate, { id });
  if (isSoft) await catalog.database.write(setProperties, { id, properties: soft });
  for (const blob of ['one', 'two']) await catalog.pushBlob('a', blob);
  return isSoft ? catalog.withPolicies({ softDeleteDays: 7 }) : catalog;
}

export async function entriesOf({ database, registry }: TestCatalog): Promise<readonly LogEntry[]> {
  await untilSettled(database, AbortSignal.timeout(60_000));
  return (await readLog(database, { registryId: registry.id, after: 0, limit: 1000 })).entries;
}

/** One line for each: `tag v1 → …`, with a dash before what clients do not see. */
function told({ action, isVisible, fact }: LogEntry): string {
  const name = fact.kind === 'repository' ? fact.repository : fact.name;
  const what = fact.set?.digest === undefined ? name : `${name}→${fact.set.digest}`;
  return `${isVisible ? '' : '-'}${action} ${what}`;
}

/** What is done, and what the log has of it then. */
export async function logOf(catalog: TestCatalog, work: () => Promise<unknown>): Promise<readonly string[]> {
  const before = (await entriesOf(catalog)).length;
  await work();
  const after = await entriesOf(catalog);
  if (await isReplicated(catalog)) await assertProjected(catalog);
  return after.slice(before).map(told);
}

async function isReplicated({ database, registry }: TestCatalog): Promise<boolean> {
  const row = await database.read
    .selectFrom('registries')
    .select('is_replicated')
    .where('id', '=', registry.id)
    .executeTakeFirst();
  return row?.is_replicated === 1;
}

/** What the registers say is there is what is there, with its attributes. */
export async function assertProjected(catalog: TestCatalog): Promise<void> {
  assert.deepEqual(await registered(catalog), await live(catalog));
}

async function registered({ database, registry }: TestCatalog): Promise<Record<string, unknown>> {
  const rows = await database.read.selectFrom('registers').selectAll().where('registry_id', '=', registry.id).execute();
  const byKey = new Map(rows.map((row) => [`${row.kind} ${row.repository} ${row.name}`, registerOf(row)]));
  const of = (key: string): Register => byKey.get(key) ?? emptyRegister;
  const shown: Record<string, unknown> = {};
  for (const [key, register] of byKey) {
    const [kind, repository = ''] = key.split(' ');
    const { deleted } = of(`repository ${repository} `);
    const isHere =
      kind === 'tag'
        ? isTagThere(register, of(`manifest ${repository} ${register.set.digest}`), deleted)
        : isThere(register, deleted);
    const said = Object.entries(attributesThatHold(register, deleted)).filter(([, { value }]) => value !== 1 && value !== null);
    if (isHere)
      shown[key] = { digest: register.set.digest, said: Object.fromEntries(said.map(([name, { value }]) => [name, value])) };
  }
  return shown;
}

export async function live({ database, registry }: TestCatalog): Promise<Record<string, unknown>> {
  const repositories = await database.read
    .selectFrom('repositories')
    .select(['id', 'name'])
    .where('registry_id', '=', registry.id)
    .where('deleted_at', 'is', null)
    .execute();
  const shown: Record<string, unknown> = {};
  for (const { id, name } of repositories) {
    const manifests = await database.read.selectFrom('manifests').selectAll().where('repository_id', '=', id).execute();
    for (const row of manifests) {
      const { quarantine_state } = row;
      shown[`manifest ${name} ${row.digest}`] = {
        digest: undefined,
        said: { ...flagsOf(row), ...(quarantine_state && { quarantine_state }) },
      };
    }
    const tags = await database.read.selectFrom('tags').selectAll().where('repository_id', '=', id).execute();
    for (const row of tags)
      shown[`tag ${name} ${row.name}`] = {
        digest: manifests.find((each) => each.id === row.manifest_id)?.digest,
        said: flagsOf(row),
      };
  }
  return shown;
}

function flagsOf(row: Readonly<Record<(typeof attributeColumns)[number], number>>): Record<string, number> {
  return Object.fromEntries(attributeColumns.filter((name) => row[name] === 0).map((name) => [name, 0]));
}
