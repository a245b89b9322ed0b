import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { maxPageSize, nextLink, parsePage } from './paging.ts';

const pageOf = (query: string) => parsePage(new URLSearchParams(query));

test('attack 1: a page is never larger than the bound, whatever is asked', () => {
  assert.equal(pageOf('n=2147483647').limit, maxPageSize);
  assert.equal(pageOf('n=999999999999999').limit, maxPageSize);
  assert.equal(pageOf('').limit, maxPageSize);
  assert.equal(pageOf('n=').limit, maxPageSize);
  assert.equal(pageOf('n=0').limit, 0);
  fc.assert(
    fc.property(fc.nat(), (n) => {
      assert.equal(pageOf(`n=${n}`).limit, Math.min(n, maxPageSize));
    }),
  );
});

test('attack 1: numbers that are none, and cursors that no entry has, are refused', () => {
  for (const query of [
    'n=-1',
    'n=1.5',
    'n=abc',
    'n=0x10',
    'n=1e3',
    'n=%2B1',
    'n=Infinity',
    'n=1%202',
    `n=${'9'.repeat(400)}`,
    `last=${'a'.repeat(513)}`,
    'last=a%00b',
  ]) {
    assert.throws(() => pageOf(query), { error: 'PAGINATION_NUMBER_INVALID' }, query);
  }
});

test('the next page begins where this one ended', () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 1, maxLength: 100 }).filter((text) => !text.includes('\0')),
      fc.integer({ min: 1, max: maxPageSize }),
      (last, limit) => {
        const { Link: link = '' } = nextLink('/v2/_catalog', { limit, last: undefined }, last, { artifactType: 'a/b+c' });
        const target = /^<(\/v2\/_catalog\?[^>]+)>; rel="next"$/.exec(link)?.[1] ?? '';
        const query = new URL(target, 'http://localhost').searchParams;
        assert.deepEqual(parsePage(query), { limit, last });
        assert.equal(query.get('artifactType'), 'a/b+c');
      },
    ),
  );
});
