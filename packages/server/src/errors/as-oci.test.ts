import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OciError } from '@berth/oci';
import { type ErrorName, RegistryError, asRegistryError, catalogue, catalogueRow, renderAsOci } from './index.ts';

const names = Object.keys(catalogue) as ErrorName[];

/** The codes of the OCI distribution specification, Docker's and ACR's that clients know. */
const knownCodes = new Set([
  'BLOB_UNKNOWN',
  'BLOB_UPLOAD_INVALID',
  'BLOB_UPLOAD_UNKNOWN',
  'CONTENT_LENGTH_INVALID',
  'DENIED',
  'DIGEST_INVALID',
  'MANIFEST_BLOB_UNKNOWN',
  'MANIFEST_INVALID',
  'MANIFEST_UNKNOWN',
  'NAME_INVALID',
  'NAME_UNKNOWN',
  'NOT_FOUND',
  'PAGINATION_NUMBER_INVALID',
  'RANGE_INVALID',
  'SIZE_INVALID',
  'REGISTRY_DISALLOWED_OPERATION',
  'TAG_INVALID',
  'TAG_UNKNOWN',
  'TOOMANYREQUESTS',
  'UNAUTHORIZED',
  'UNAVAILABLE',
  'UNKNOWN',
  'UNSUPPORTED',
]);

test('every row has an error status, a sentence without a full stop, and a code that clients know', () => {
  for (const name of names) {
    const { status, message, code, hint } = catalogueRow(name);
    assert.ok(status >= 400 && status < 600, name);
    assert.match(message, /^[a-z].*[^.]$/, name);
    assert.ok(knownCodes.has(code ?? name), `${name}: ${code ?? name}`);
    if (hint !== undefined) assert.match(hint, /^[a-z].*[^.]$/, name);
  }
});

test('an error is rendered in the envelope, its hint behind its message', () => {
  const answer = renderAsOci(
    new RegistryError('BLOB_IN_USE', { message: 'it is used', detail: { digest: 'x' }, headers: { A: 'b' } }),
    'id',
  );
  assert.equal(answer.status, 405);
  assert.deepEqual(answer.headers, { A: 'b' });
  assert.deepEqual(JSON.parse(answer.body), {
    errors: [{ code: 'UNSUPPORTED', message: 'it is used; delete the manifest first', detail: { digest: 'x' } }],
  });
});

test('every row survives its rendering', () => {
  for (const name of names) {
    const answer = renderAsOci(new RegistryError(name), 'id');
    const [error] = (JSON.parse(answer.body) as { errors: { code: string; message: string }[] }).errors;
    assert.equal(error?.code, catalogueRow(name).code ?? name);
    assert.ok(error?.message.startsWith(catalogueRow(name).message));
  }
});

test('errors of the vocabulary keep their code, and anything else says nothing', () => {
  assert.equal(asRegistryError(new OciError('TAG_INVALID', 'no tag')).error, 'TAG_INVALID');
  for (const thrown of [
    new Error('secret'),
    new TypeError('secret'),
    'secret',
    undefined,
    null,
    { error: 'DENIED', message: 'secret' },
  ]) {
    const error = asRegistryError(thrown);
    assert.equal(error.error, 'INTERNAL');
    const { body } = renderAsOci(error, 'the-id');
    assert.doesNotMatch(body, /secret/);
    assert.match(body, /the-id/);
  }
});
