import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fact, FactAttribute, Stamp } from '@berth/api';
import fc from 'fast-check';
import {
  type Register,
  attributesThatHold,
  compareStamps,
  emptyRegister,
  isTagThere,
  isThere,
  join,
  never,
  nextClock,
  ticksPerMs,
} from './model.ts';

const runs = 2_000;

/** What one region knows: registers by name. */
type Known = Map<string, Register>;

const keyOf = ({ kind, repository, name }: Pick<Fact, 'kind' | 'repository' | 'name'>): string => `${kind} ${repository} ${name}`;

function tell(known: Known, fact: Fact): void {
  const key = keyOf(fact);
  known.set(key, join(known.get(key) ?? emptyRegister, fact).register);
}

/** What clients would see: by the rules alone. */
function seen(known: Known): unknown {
  const of = (kind: Fact['kind'], repository: string, name: string): Register =>
    known.get(keyOf({ kind, repository, name })) ?? emptyRegister;
  const shown: Record<string, unknown> = {};
  for (const [key, register] of known) {
    const [kind, repository = ''] = key.split(' ');
    const { deleted } = of('repository', repository, '');
    const isHere =
      kind === 'tag'
        ? isTagThere(register, of('manifest', repository, register.set.digest ?? ''), deleted)
        : isThere(register, deleted);
    if (!isHere) continue;
    const attributes = Object.entries(attributesThatHold(register, deleted)).map(([attribute, { value }]) => [attribute, value]);
    shown[key] = { digest: register.set.digest, attributes: Object.fromEntries(attributes) };
  }
  return shown;
}

const repositories = ['a', 'b'] as const;
const digests = ['m1', 'm2', 'm3'] as const;
const tags = ['v1', 'v2'] as const;
const attributes: readonly FactAttribute[] = ['delete_enabled', 'quarantine_state'];
const regions = ['east', 'north', 'west'] as const;

const stamps: fc.Arbitrary<Stamp> = fc
  .tuple(fc.integer({ min: 1, max: 12 }), fc.constantFrom(...regions))
  .map(([clock, origin]) => ({ clock, origin }));
const values = fc.constantFrom<number | string | null>(0, 1, 'Passed', null);

/** Any fact, made by nobody in particular: clocks that collide, too, as after a restored backup. */
const facts: fc.Arbitrary<Fact> = fc
  .record({
    kind: fc.constantFrom<Fact['kind']>('repository', 'manifest', 'tag'),
    repository: fc.constantFrom(...repositories),
    at: fc.nat({ max: 2 }),
    set: fc.option(fc.record({ stamp: stamps, digest: fc.constantFrom(...digests) }), { nil: undefined }),
    deleted: fc.option(stamps, { nil: undefined }),
    said: fc.option(fc.record({ attribute: fc.constantFrom(...attributes), stamp: stamps, value: values }), { nil: undefined }),
  })
  .map(({ kind, repository, at, set, deleted, said }) => ({
    kind,
    repository,
    name: { repository: '', manifest: digests[at] ?? 'm1', tag: tags[at % 2] ?? 'v1' }[kind],
    ...(set !== undefined && { set: kind === 'tag' ? { ...set.stamp, digest: set.digest } : set.stamp }),
    ...(deleted !== undefined && { deleted }),
    ...(said !== undefined && { attributes: { [said.attribute]: { ...said.stamp, value: said.value } } }),
  }));

/** The same facts in another order, some of them several times. */
const histories = fc
  .array(facts, { minLength: 1, maxLength: 25 })
  .chain((told) => fc.tuple(fc.constant(told), fc.shuffledSubarray([...told, ...told, ...told], { minLength: told.length * 3 })));

test('facts in any order, any number of times, come to one state', (t) => {
  const seed = Number(process.env['BERTH_SEED'] ?? Date.now() % 2 ** 31);
  t.diagnostic(`seed ${seed} (set BERTH_SEED to run it again)`);
  fc.assert(
    fc.property(histories, ([told, again]) => {
      const [one, other]: [Known, Known] = [new Map(), new Map()];
      for (const fact of told) tell(one, fact);
      for (const fact of again) tell(other, fact);
      assert.deepEqual(one, other);
      assert.deepEqual(seen(one), seen(other));
    }),
    { numRuns: runs, seed },
  );
});

/** What a region tells of all that it knows, as in a snapshot. */
function snapshotOf(known: Known): readonly Fact[] {
  return [...known].map(([key, { set, deleted, attributes: said }]) => {
    const [kind = '', repository = '', name = ''] = key.split(' ');
    const { digest, ...stamp } = set;
    return {
      kind: kind as Fact['kind'],
      repository,
      name,
      ...(set.clock > 0 && { set: digest === undefined ? stamp : { ...stamp, digest } }),
      ...(deleted.clock > 0 && { deleted }),
      attributes: said,
    };
  });
}

test('regions that tell one another snapshots come to one state, whoever tells whom first', (t) => {
  const seed = Number(process.env['BERTH_SEED'] ?? Date.now() % 2 ** 31);
  t.diagnostic(`seed ${seed} (set BERTH_SEED to run it again)`);
  const of = fc.array(fc.tuple(fc.nat({ max: 2 }), facts), { minLength: 1, maxLength: 20 });
  const order = fc.array(fc.tuple(fc.nat({ max: 2 }), fc.nat({ max: 2 })), { maxLength: 10 });
  fc.assert(
    fc.property(of, order, (told, first) => {
      const known: readonly Known[] = regions.map(() => new Map());
      for (const [region, fact] of told) tell(known[region] ?? new Map(), fact);
      // Some hear of some; then everybody of everybody, twice.
      const all = [0, 1, 2].flatMap((from) => [0, 1, 2].map((to) => [from, to] as const));
      for (const [from, to] of [...first, ...all, ...all])
        for (const fact of snapshotOf(known[from] ?? new Map())) tell(known[to] ?? new Map(), fact);
      assert.deepEqual(known[1], known[0]);
      assert.deepEqual(known[2], known[0]);
    }),
    { numRuns: runs, seed },
  );
});

/** What somebody does to one registry, one thing after the other. */
type Step =
  | { readonly does: 'push'; readonly repository: string; readonly digest: string; readonly tag: string | undefined }
  | { readonly does: 'untag'; readonly repository: string; readonly tag: string }
  | { readonly does: 'delete'; readonly repository: string; readonly digest: string }
  | { readonly does: 'delete-repository'; readonly repository: string }
  | { readonly does: 'lock'; readonly repository: string; readonly name: string; readonly value: number };

const anyOf = {
  repository: fc.constantFrom(...repositories),
  digest: fc.constantFrom(...digests),
  tag: fc.constantFrom(...tags),
};

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ does: fc.constant('push' as const), ...anyOf, tag: fc.option(anyOf.tag, { nil: undefined }) }),
  },
  fc.record({ does: fc.constant('untag' as const), repository: anyOf.repository, tag: anyOf.tag }),
  fc.record({ does: fc.constant('delete' as const), repository: anyOf.repository, digest: anyOf.digest }),
  fc.record({ does: fc.constant('delete-repository' as const), repository: anyOf.repository }),
  fc.record({
    does: fc.constant('lock' as const),
    repository: anyOf.repository,
    name: fc.constantFrom(...digests, ...tags),
    value: fc.constantFrom(0, 1),
  }),
);

/** A registry without regions: what is there, with its locks. */
class Plain {
  readonly shown = new Map<string, { digest: string | undefined; locks: Map<string, number> }>();

  /** What other regions are told of a step, by the same names; nothing when the step does nothing. */
  do(step: Step, stamp: Stamp): readonly Fact[] {
    const { repository } = step;
    const manifest = (digest: string) => ({ kind: 'manifest', repository, name: digest }) as const;
    const tag = (name: string) => ({ kind: 'tag', repository, name }) as const;
    switch (step.does) {
      case 'push': {
        this.#set(keyOf(manifest(step.digest)), undefined);
        if (step.tag === undefined) return [{ ...manifest(step.digest), set: stamp }];
        this.#set(keyOf(tag(step.tag)), step.digest);
        return [
          { ...manifest(step.digest), set: stamp },
          { ...tag(step.tag), set: { ...stamp, digest: step.digest } },
        ];
      }
      case 'untag':
        return this.shown.delete(keyOf(tag(step.tag))) ? [{ ...tag(step.tag), deleted: stamp }] : [];
      case 'delete': {
        if (!this.shown.delete(keyOf(manifest(step.digest)))) return [];
        const gone = tags.filter((name) => this.shown.get(keyOf(tag(name)))?.digest === step.digest);
        for (const name of gone) this.shown.delete(keyOf(tag(name)));
        return [{ ...manifest(step.digest), deleted: stamp }, ...gone.map((name) => ({ ...tag(name), deleted: stamp }))];
      }
      case 'delete-repository': {
        for (const key of this.shown.keys()) if (key.split(' ')[1] === repository) this.shown.delete(key);
        return [{ kind: 'repository', repository, name: '', deleted: stamp }];
      }
      case 'lock': {
        const of = step.name.startsWith('m') ? manifest(step.name) : tag(step.name);
        const item = this.shown.get(keyOf(of));
        item?.locks.set('delete_enabled', step.value);
        return item === undefined ? [] : [{ ...of, attributes: { delete_enabled: { ...stamp, value: step.value } } }];
      }
    }
  }

  #set(key: string, digest: string | undefined): void {
    const known = this.shown.get(key);
    if (known === undefined) this.shown.set(key, { digest, locks: new Map() });
    else known.digest = digest;
  }

  get seen(): unknown {
    const entries = [...this.shown].map(
      ([key, { digest, locks }]) => [key, { digest, attributes: Object.fromEntries(locks) }] as const,
    );
    return Object.fromEntries(entries);
  }
}

test('what is done one after the other looks everywhere as it does where nobody replicates, in whatever order it is told', (t) => {
  const seed = Number(process.env['BERTH_SEED'] ?? Date.now() % 2 ** 31);
  t.diagnostic(`seed ${seed} (set BERTH_SEED to run it again)`);
  const history = fc.array(fc.tuple(fc.constantFrom(...regions), steps, fc.integer({ min: -5, max: 5 })), {
    minLength: 1,
    maxLength: 30,
  });
  fc.assert(
    fc.property(history, fc.infiniteStream(fc.nat({ max: 1_000 })), (done, random) => {
      const plain = new Plain();
      const told: Fact[] = [];
      let clock = 0;
      for (const [region, step, skewMs] of done) {
        // Each has seen what was done before, whatever its own clock says.
        clock = nextClock(100 + skewMs, clock);
        told.push(...plain.do(step, { clock, origin: region }));
      }
      const known: Known = new Map();
      const order = told.map((fact) => ({ fact, at: random.next().value }));
      for (const { fact } of order.toSorted((a, b) => a.at - b.at)) tell(known, fact);
      assert.deepEqual(seen(known), plain.seen);
    }),
    { numRuns: runs, seed },
  );
});

test('a clock is later than all that was seen, and than the time', () => {
  assert.equal(nextClock(5, 0), 5 * ticksPerMs);
  assert.equal(nextClock(5, 5 * ticksPerMs), 5 * ticksPerMs + 1);
  assert.equal(nextClock(5, 9 * ticksPerMs), 9 * ticksPerMs + 1);
  assert.ok(compareStamps({ clock: 1, origin: 'east' }, { clock: 1, origin: 'west' }) < 0);
  assert.ok(compareStamps(never, { clock: 1, origin: '' }) < 0);
});
