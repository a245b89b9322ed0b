import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRepositoryName } from '@berth/oci';
import fc from 'fast-check';
import { foldRepositoryName } from './repository-path.ts';

/** What the router's decoding makes of the folded segment. */
function nameIn(url: string, before: string): string | undefined {
  const folded = foldRepositoryName(url);
  if (!folded.startsWith(before)) return undefined;
  return decodeURIComponent(folded.slice(before.length).split('/', 1)[0] ?? '');
}

const component = fc.stringMatching(/^[a-z0-9]{1,8}(?:[._-][a-z0-9]{1,8})?$/);
const keyword = fc.constantFrom('manifests', 'blobs', 'tags', 'referrers', 'uploads', 'list', 'v2', 'latest');
const name = fc.array(fc.oneof(component, keyword), { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/'));
const tail = fc.constantFrom(
  '/manifests/latest',
  '/manifests/tags',
  '/blobs/sha256:aa',
  '/blobs/uploads/',
  '/blobs/uploads/some-id',
  '/tags/list',
  '/referrers/sha256:aa',
);

test('a name survives the fold whatever words it holds: the last keyword wins', () => {
  fc.assert(
    fc.property(name, tail, fc.constantFrom('', '?n=1&last=a/b', '?digest=sha256:aa'), (repository, rest, query) => {
      const folded = foldRepositoryName(`/v2/${repository}${rest}${query}`);
      assert.equal(folded, `/v2/${encodeURIComponent(repository)}${rest}${query}`);
    }),
  );
});

test('attack 2, attack 44: what a client encoded stays as it was written and is no name', () => {
  for (const encoded of ['%2e%2e', '%2e%2e%2fa'.replace('%2f', '%252f'), 'a%252Fb', '%61', 'a%00b', 'a%E3%80%82b']) {
    const read = nameIn(`/v2/${encoded}/tags/list`, '/v2/');
    assert.equal(read, encoded);
    assert.throws(() => parseRepositoryName(read ?? ''), { code: 'NAME_INVALID' });
  }
  for (const wrong of ['..', 'a/../b', '/a', 'a/', 'a//b', 'A', 'a'.repeat(256), 'x/_y']) {
    assert.throws(() => parseRepositoryName(nameIn(`/v2/${wrong}/manifests/latest`, '/v2/') ?? ''), { code: 'NAME_INVALID' });
  }
});

test('reserved words are names like any other', () => {
  for (const word of ['manifests', 'blobs', 'uploads', 'tags', 'list', 'referrers', 'manifests/blobs/uploads']) {
    assert.equal(nameIn(`/v2/${word}/manifests/latest`, '/v2/'), word);
  }
});

test('a path takes a name with plain and with encoded slashes, decoded once', () => {
  assert.equal(nameIn('/v2/a%2Fb%2fc/manifests/latest', '/v2/'), 'a/b/c');
  assert.equal(nameIn('/v2/a%252Fb/tags/list', '/v2/'), 'a%252Fb');
  assert.equal(nameIn('/v2/a%2Fmanifests%2Fb/manifests/latest', '/v2/'), 'a/manifests/b');
  assert.equal(nameIn('/acr/v1/a/b', '/acr/v1/'), 'a/b');
  assert.equal(nameIn('/acr/v1/a%2Fb', '/acr/v1/'), 'a/b');
  assert.equal(nameIn('/acr/v1/a%252Fb', '/acr/v1/'), 'a%252Fb');
  assert.equal(foldRepositoryName('/acr/v1/_catalog'), '/acr/v1/_catalog');
});

test('attack 12: an absolute address counts for its path only', () => {
  assert.equal(foldRepositoryName('http://elsewhere.example/v2/a/b/tags/list?n=1'), '/v2/a%2Fb/tags/list?n=1');
  assert.equal(foldRepositoryName('HTTPS://elsewhere.example'), '/');
  assert.equal(foldRepositoryName('http://elsewhere.example?x=1'), '/?x=1');
});

test('other paths pass as they are, and no text makes the fold fail', () => {
  for (const path of ['/', '/v2', '/v2/', '/v2/_catalog?n=5', '/healthz', '/oauth2/token', '*', '/v2/a/b'])
    assert.equal(foldRepositoryName(path), path);
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme-ascii', maxLength: 300 }),
      (text) => typeof foldRepositoryName(`/v2/${text}`) === 'string',
    ),
  );
});

test('attack 43: the fold of a path full of keywords takes no time worth naming', () => {
  const began = performance.now();
  foldRepositoryName(`/v2/${'manifests/blobs/tags/list/'.repeat(5_000)}!`);
  foldRepositoryName(`/v2/${'/'.repeat(100_000)}`);
  assert.ok(performance.now() - began < 500);
});
