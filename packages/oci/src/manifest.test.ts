import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { maxManifestBytes, parseManifest } from './manifest.ts';
import { mediaTypes } from './media-types.ts';

const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: `sha256:${'c'.repeat(64)}`, size: 2 };
const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: `sha256:${'1'.repeat(64)}`, size: 10 };
const child = { mediaType: mediaTypes.ociManifest, digest: `sha512:${'2'.repeat(128)}`, size: 20 };
const image = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [layer] };
const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [child] };

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
const parse = (value: unknown, contentType?: string) => parseManifest(bytes(value), contentType);
const digests = (list: readonly { readonly digest: string }[]) => list.map(({ digest }) => digest);

test("an image needs its config and layers, and is of its config's type", () => {
  const manifest = parse(image, mediaTypes.ociManifest);
  assert.equal(manifest.kind, 'image');
  assert.equal(manifest.artifactType, config.mediaType);
  assert.deepEqual(digests(manifest.requiredBlobs), [config.digest, layer.digest]);
  assert.deepEqual([manifest.optionalBlobs, manifest.children, manifest.subject, manifest.annotations], [[], [], undefined, {}]);
});

test('an index needs its children and has a type only if it says so', () => {
  const manifest = parse(index);
  assert.deepEqual([manifest.kind, manifest.artifactType], ['index', undefined]);
  assert.deepEqual(digests(manifest.children), [child.digest]);
  assert.deepEqual(manifest.requiredBlobs, []);
  assert.equal(parse({ ...index, artifactType: 'application/vnd.example' }).artifactType, 'application/vnd.example');
});

test('an index over layers, as BuildKit exports its cache, needs these layers', () => {
  const cache = { mediaType: 'application/vnd.buildkit.cacheconfig.v0', digest: config.digest, size: 3 };
  const manifest = parse({ ...index, manifests: [layer, cache, child] });
  assert.deepEqual(
    [digests(manifest.requiredBlobs), digests(manifest.optionalBlobs), digests(manifest.children)],
    [[layer.digest], [cache.digest], [child.digest]],
  );
});

test('the same blob counts once; two sizes for it are refused', () => {
  assert.deepEqual(digests(parse({ ...image, layers: [layer, layer, { ...layer, mediaType: 'text/plain' }] }).requiredBlobs), [
    config.digest,
    layer.digest,
  ]);
  assert.throws(() => parse({ ...image, layers: [layer, { ...layer, size: 11 }] }), {
    code: 'MANIFEST_INVALID',
    message: /two sizes/,
  });
});

for (const mediaType of [
  'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
  'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
]) {
  test(`a layer of ${mediaType} need not be there`, () => {
    const foreign = { mediaType, digest: `sha256:${'f'.repeat(64)}`, size: 5, urls: ['https://store.example.com/f'] };
    const manifest = parse({ ...image, layers: [foreign, layer] });
    assert.deepEqual(
      [digests(manifest.requiredBlobs), digests(manifest.optionalBlobs)],
      [[config.digest, layer.digest], [foreign.digest]],
    );
  });
}

test("Docker's manifests and lists are images and indexes", () => {
  assert.equal(parse({ ...image, mediaType: mediaTypes.dockerManifest }).kind, 'image');
  assert.equal(parse({ ...index, mediaType: mediaTypes.dockerList }).kind, 'index');
});

for (const mediaType of [mediaTypes.ociArtifact, mediaTypes.orasArtifact]) {
  test(`${mediaType} needs its blobs and keeps subject and type`, () => {
    const manifest = parse({
      mediaType,
      artifactType: 'application/vnd.example',
      blobs: [layer],
      subject: child,
      annotations: { a: 'b' },
    });
    assert.deepEqual(
      [manifest.kind, manifest.artifactType, manifest.subject?.digest, manifest.annotations],
      ['artifact', 'application/vnd.example', child.digest, { a: 'b' }],
    );
    assert.deepEqual(digests(manifest.requiredBlobs), [layer.digest]);
    assert.deepEqual(parse({ mediaType, artifactType: 'application/vnd.example' }).requiredBlobs, []);
  });
}

test('a kind that nobody knows is taken; what it seems to refer to is kept, nothing is demanded', () => {
  const manifest = parse(
    { config, layers: [layer, 'no descriptor', { digest: 7 }], subject: child },
    'application/vnd.example.thing+json; v=1',
  );
  assert.deepEqual(
    [manifest.kind, manifest.mediaType, manifest.subject?.digest],
    ['other', 'application/vnd.example.thing+json', child.digest],
  );
  assert.deepEqual([digests(manifest.optionalBlobs), manifest.requiredBlobs], [[config.digest, layer.digest], []]);
});

test('without a Content-Type the mediaType counts, and without both the fields tell', () => {
  const { mediaType: _image, ...bareImage } = image;
  const { mediaType: _index, ...bareIndex } = index;
  assert.equal(parse(image, '').mediaType, mediaTypes.ociManifest);
  assert.deepEqual([parse(bareImage).kind, parse(bareIndex).kind], ['image', 'index']);
  assert.equal(parse(bareImage, `${mediaTypes.ociManifest}; charset=utf-8`).mediaType, mediaTypes.ociManifest);
  assert.throws(() => parse({}), { code: 'MANIFEST_INVALID', message: /neither a Content-Type/ });
});

test('another spelling of a known type is that type, not an unknown one', () => {
  const manifest = parse(
    { ...image, mediaType: mediaTypes.ociManifest.toUpperCase() },
    'Application/Vnd.Oci.Image.Manifest.V1+json',
  );
  assert.deepEqual([manifest.kind, manifest.mediaType], ['image', mediaTypes.ociManifest]);
  assert.equal(parse({}, 'application/vnd.Example+json').mediaType, 'application/vnd.Example+json');
});

test('lists that Go wrote as null are empty; unknown fields, data and empty artifact types do not matter', () => {
  assert.deepEqual(digests(parse({ ...image, layers: null, subject: null, annotations: null }).requiredBlobs), [config.digest]);
  assert.deepEqual(parse({ ...index, manifests: null }).children, []);
  const decorated = {
    ...image,
    artifactType: '',
    extra: { a: [1] },
    config: { ...config, data: 'e30=', annotations: { a: 'b' } },
  };
  assert.equal(parse(decorated).artifactType, config.mediaType);
});

test('descriptors may have types with parameters, as files have', () => {
  assert.equal(parse({ ...image, layers: [{ ...layer, mediaType: 'text/plain; charset=utf-8' }] }).requiredBlobs.length, 2);
});

const withSize = (size: string): string => JSON.stringify(image).replace('"size":10', `"size":${size}`);
const refused: readonly (readonly [string, unknown, string | undefined, RegExp])[] = [
  ['manifests and layers in an image', { ...image, manifests: [] }, undefined, /cannot have the field "manifests"/],
  ['manifests and layers in an index', { ...index, layers: [] }, undefined, /cannot have the field "layers"/],
  [
    'manifests and layers under an unknown type',
    { manifests: [], layers: [] },
    'application/vnd.example+json',
    /cannot have the field "layers"/,
  ],
  ['manifests and layers under no type', { manifests: [], layers: [] }, undefined, /schemaVersion|cannot have/],
  ['a config in an index', { ...index, config }, undefined, /cannot have the field "config"/],
  ['an index sent as an image', index, mediaTypes.ociManifest, /must be the same/],
  ['an image sent as an unknown type', image, 'application/vnd.example+json', /must be the same/],
  ['an image without layers', { ...image, layers: undefined }, undefined, /no list "layers"/],
  ['an image without config', { ...image, config: undefined }, undefined, /config is not a descriptor/],
  ['layers that are an object', { ...image, layers: { 0: layer } }, undefined, /no list "layers"/],
  ['a layer that is a list', { ...image, layers: [[layer]] }, undefined, /layers\[0\] is not a descriptor/],
  ['schemaVersion 1', { ...image, schemaVersion: 1 }, undefined, /schemaVersion/],
  ['schemaVersion as text', { ...image, schemaVersion: '2' }, undefined, /schemaVersion/],
  ['Docker schema 1', { schemaVersion: 1, fsLayers: [] }, mediaTypes.dockerSchema1Signed, /schema 1 manifests are not supported/],
  ['a Content-Type that is no media type', image, 'nonsense', /is not a media type/],
  ['a mediaType that is no text', { ...image, mediaType: 7 }, undefined, /is not a media type/],
  ['a negative size', withSize('-1'), undefined, /whole number/],
  ['a size of 2^53', withSize('9007199254740992'), undefined, /whole number/],
  ['a size of 2^63', withSize('9223372036854775808'), undefined, /whole number/],
  ['a size beyond all numbers', withSize('1e999'), undefined, /whole number/],
  ['half a byte', withSize('1.5'), undefined, /whole number/],
  ['a size as text', withSize('"10"'), undefined, /whole number/],
  ['a layer without size', withSize('null'), undefined, /whole number/],
  [
    'a layer with a bad digest',
    { ...image, layers: [{ ...layer, digest: 'sha256:x' }] },
    undefined,
    /layers\[0\] has the digest "sha256:x"/,
  ],
  ['a layer of no type', { ...image, layers: [{ ...layer, mediaType: '' }] }, undefined, /no valid mediaType/],
  ['a subject that is a text', { ...image, subject: child.digest }, undefined, /subject is not a descriptor/],
  ['annotations that are a list', { ...image, annotations: ['a'] }, undefined, /annotations/],
  ['an annotation that is a number', { ...image, annotations: { a: 1 } }, undefined, /annotation "a" is not a text/],
  ['an artifactType that is a number', { ...image, artifactType: 1 }, undefined, /artifactType/],
  ['a list', [image], mediaTypes.ociManifest, /not a JSON object/],
  ['null', 'null', mediaTypes.ociManifest, /not a JSON object/],
  ['a key twice', '{"schemaVersion":2,"layers":[],"layers":[]}', mediaTypes.ociManifest, /twice/],
];
for (const [what, document, contentType, message] of refused) {
  test(`attack 4: ${what} is refused`, () => {
    assert.throws(() => parse(document, contentType), { code: 'MANIFEST_INVALID', message });
  });
}

test('attack 44: __proto__ in annotations changes no object', () => {
  const text = JSON.stringify(image).replace(
    /}$/,
    ',"annotations":{"__proto__":"x","constructor":"y"},"__proto__":{"layers":[]}}',
  );
  assert.deepEqual(Object.entries(parse(text).annotations), [
    ['__proto__', 'x'],
    ['constructor', 'y'],
  ]);
  assert.equal(Object.getPrototypeOf(parse(text).annotations), Object.prototype);
});

test('any document is parsed or refused with MANIFEST_INVALID, never with another error', () => {
  const field = fc.constantFrom(
    'schemaVersion',
    'mediaType',
    'config',
    'layers',
    'manifests',
    'blobs',
    'subject',
    'annotations',
    'artifactType',
  );
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.constantFrom<unknown>(2, config, [layer], [child], child, mediaTypes.ociManifest, mediaTypes.ociIndex, { a: 'b' }),
  );
  const type = fc.option(fc.constantFrom<string>(...Object.values(mediaTypes), 'application/json', 'x'), { nil: undefined });
  fc.assert(
    fc.property(fc.dictionary(field, value), type, (document, contentType) => {
      try {
        const manifest = parse(document, contentType);
        const all = digests([...manifest.requiredBlobs, ...manifest.optionalBlobs]);
        assert.equal(new Set(all).size, all.length);
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
        assert.equal((error as { code?: string }).code, 'MANIFEST_INVALID');
      }
    }),
    { numRuns: 2000 },
  );
});

test('attack 4: as many descriptors as 4 MiB can hold are parsed quickly', () => {
  const layers = Array.from({ length: 26_000 }, (_, number) => ({
    ...layer,
    digest: `sha256:${number.toString(16).padStart(64, '0')}`,
  }));
  const document = bytes({ ...image, layers });
  assert.ok(document.length > 0.9 * maxManifestBytes);
  parseManifest(document, undefined);
  const began = performance.now();
  assert.equal(parseManifest(document, undefined).requiredBlobs.length, layers.length + 1);
  // It took less than 80 ms where it was measured; the bound leaves room for a loaded machine.
  assert.ok(performance.now() - began < 10_000, `${performance.now() - began} ms`);
});
