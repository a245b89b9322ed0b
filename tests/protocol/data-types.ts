import { mediaTypes } from '@berth/oci';
import {
  type Content,
  type DescriptorJson,
  type RandomImage,
  contentOf,
  descriptorOf,
  digestOf,
  randomBytesOf,
  randomImage,
  randomIndex,
} from '@berth/testkit';

/** What a referrers list must say of a manifest. */
export interface ExpectedReferrer {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A kind of content that registries must take: blobs, manifests in the order of their push, tags, referrers. */
export interface DataType {
  readonly blobs: readonly Content[];
  readonly manifests: readonly Content[];
  /** By tag: the index of its manifest. */
  readonly tags: Readonly<Record<string, number>>;
  /** By subject. */
  readonly referrers?: Readonly<Record<string, readonly ExpectedReferrer[]>>;
  /** Tags travel with the push by digest, as parameters. */
  readonly isTaggedByParameter?: boolean;
}

const exampleType = 'application/vnd.example.protocol.v1';
const otherType = 'application/vnd.example.protocol.v2';
const emptyType = 'application/vnd.oci.empty.v1+json';
const empty = contentOf(emptyType, Buffer.from('{}'));

const blobsOf = (...images: readonly RandomImage[]): Content[] => images.flatMap(({ config, layers }) => [config, ...layers]);
const json = (mediaType: string, document: object): Content => contentOf(mediaType, Buffer.from(JSON.stringify(document)));
const annotations = (): Record<string, string> => ({
  'org.example.text': 'hello',
  [`org.example.${digestOf(randomBytesOf(4)).slice(-8)}`]: 'unique',
});

function single(image: RandomImage, tag: string): DataType {
  return { blobs: blobsOf(image), manifests: [image.manifest], tags: { [tag]: 0 } };
}

function indexOf(options: Parameters<typeof randomIndex>[0], tag?: string): DataType {
  const { images, manifest } = randomIndex(options);
  return {
    blobs: blobsOf(...images),
    manifests: [...images.map((image) => image.manifest), manifest],
    tags: tag === undefined ? {} : { [tag]: images.length },
  };
}

/** An artifact as the image specification advises: an empty config and a type. */
function artifact(
  fields: object = {},
  layer: Content = contentOf(exampleType, randomBytesOf(300)),
): { readonly blobs: readonly Content[]; readonly manifest: Content } {
  const document = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    artifactType: exampleType,
    config: descriptorOf(empty),
    layers: [descriptorOf(layer)],
    ...fields,
  };
  return { blobs: [empty, layer], manifest: json(mediaTypes.ociManifest, document) };
}

function singleArtifact(tag: string, layer: Content): DataType {
  const { blobs, manifest } = artifact({}, layer);
  return { blobs, manifests: [manifest], tags: { [tag]: 0 } };
}

function referrerOf(manifest: Content): ExpectedReferrer {
  const document = JSON.parse(manifest.bytes.toString()) as {
    artifactType?: string;
    config?: DescriptorJson;
    annotations?: Record<string, string>;
  };
  const artifactType = document.artifactType ?? document.config?.mediaType;
  return {
    ...descriptorOf(manifest),
    ...(artifactType !== undefined && { artifactType }),
    ...(document.annotations && { annotations: document.annotations }),
  };
}

function nestedIndex(): DataType {
  const inner = [randomIndex(), randomIndex()];
  const outer = json(mediaTypes.ociIndex, {
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: inner.map(({ manifest }) => descriptorOf(manifest)),
  });
  const images = inner.flatMap((index) => index.images);
  const manifests = [...images.map((image) => image.manifest), ...inner.map(({ manifest }) => manifest), outer];
  return { blobs: blobsOf(...images), manifests, tags: { 'index-of-indexes': manifests.length - 1 } };
}

function artifactIndex(): DataType {
  const artifacts = [artifact(), artifact()];
  const document = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    artifactType: exampleType,
    manifests: artifacts.map(({ manifest }) => descriptorOf(manifest)),
  };
  const manifests = [...artifacts.map(({ manifest }) => manifest), json(mediaTypes.ociIndex, document)];
  return { blobs: artifacts.flatMap(({ blobs }) => blobs), manifests, tags: { 'artifact-index': 2 } };
}

function withSubjects(): DataType {
  const subject = randomImage();
  const pointed = { subject: descriptorOf(subject.manifest) };
  const image = randomImage({ fields: pointed });
  const artifacts = [
    artifact({ ...pointed, annotations: annotations() }),
    artifact({ ...pointed, artifactType: otherType, annotations: annotations() }),
    artifact(pointed),
  ];
  const referring = [image.manifest, ...artifacts.map(({ manifest }) => manifest)];
  return {
    blobs: [...blobsOf(subject, image), ...artifacts.flatMap(({ blobs }) => blobs)],
    manifests: [subject.manifest, ...referring],
    tags: { image: 0, 'tagged-artifact-1': 2, 'tagged-artifact-2': 3 },
    referrers: { [subject.manifest.digest]: referring.map(referrerOf) },
  };
}

function indexWithSubject(): DataType {
  const subject = randomIndex();
  const pointed = { subject: descriptorOf(subject.manifest) };
  const typed = randomIndex({ fields: { ...pointed, artifactType: exampleType, annotations: annotations() } });
  const untyped = randomIndex({ fields: pointed });
  const indexes = [subject, typed, untyped];
  const images = indexes.flatMap((index) => index.images);
  const manifests = [...images.map((image) => image.manifest), ...indexes.map(({ manifest }) => manifest)];
  return {
    blobs: blobsOf(...images),
    manifests,
    tags: { index: images.length, 'tagged-artifact': images.length + 1 },
    referrers: { [subject.manifest.digest]: [typed, untyped].map(({ manifest }) => referrerOf(manifest)) },
  };
}

function missingSubject(): DataType {
  const subject = { mediaType: mediaTypes.ociManifest, size: 123, digest: digestOf(randomBytesOf(9)) };
  const { blobs, manifest } = artifact({ subject, annotations: annotations() });
  return {
    blobs,
    manifests: [manifest],
    tags: { 'tagged-artifact': 0 },
    referrers: { [subject.digest]: [referrerOf(manifest)] },
  };
}

function withData(): DataType {
  const { config, layers } = randomImage({ layerBytes: 100 });
  const withBytes = (content: Content): object => ({ ...descriptorOf(content), data: content.bytes.toString('base64') });
  const document = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: withBytes(config),
    layers: layers.map(withBytes),
  };
  return { blobs: [config, ...layers], manifests: [json(mediaTypes.ociManifest, document)], tags: { 'data-field': 0 } };
}

function nonDistributable(): DataType {
  const { config, layers } = randomImage({ layers: 1 });
  const elsewhere = ['tar+gzip', 'tar'].map((suffix) => {
    const digest = digestOf(randomBytesOf(7));
    return {
      mediaType: `application/vnd.oci.image.layer.nondistributable.v1.${suffix}`,
      digest,
      size: 12_345,
      urls: [`https://store.example.com/${digest}`],
    };
  });
  const document = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: descriptorOf(config),
    layers: [...elsewhere, ...layers.map(descriptorOf)],
  };
  return { blobs: [config, ...layers], manifests: [json(mediaTypes.ociManifest, document)], tags: { 'non-distributable': 0 } };
}

function dockerImage(): DataType {
  const layer = contentOf('application/vnd.docker.image.rootfs.diff.tar.gzip', randomBytesOf(200));
  const config = contentOf('application/vnd.docker.container.image.v1+json', Buffer.from('{"architecture":"amd64"}'));
  const image = json(mediaTypes.dockerManifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.dockerManifest,
    config: descriptorOf(config),
    layers: [descriptorOf(layer)],
  });
  const entry = { ...descriptorOf(image), platform: { os: 'linux', architecture: 'amd64' } };
  const list = json(mediaTypes.dockerList, { schemaVersion: 2, mediaType: mediaTypes.dockerList, manifests: [entry] });
  return { blobs: [config, layer], manifests: [image, list], tags: { 'docker-image': 0, 'docker-list': 1 } };
}

/** The artifact manifests of the image specification's release candidates and of ORAS, which ACR still takes. */
function oldArtifact(mediaType: string): DataType {
  const blob = contentOf(exampleType, randomBytesOf(50));
  const subject = randomImage();
  const document = {
    mediaType,
    artifactType: exampleType,
    blobs: [descriptorOf(blob)],
    subject: descriptorOf(subject.manifest),
    annotations: annotations(),
  };
  const manifest = json(mediaType, document);
  return {
    blobs: [blob, ...blobsOf(subject)],
    manifests: [subject.manifest, manifest],
    tags: { 'old-artifact': 1 },
    referrers: { [subject.manifest.digest]: [referrerOf(manifest)] },
  };
}

function buildCache(): DataType {
  const layers = randomImage().layers;
  const config = contentOf('application/vnd.buildkit.cacheconfig.v0', Buffer.from('{"layers":[]}'));
  const document = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [...layers, config].map(descriptorOf) };
  return { blobs: [...layers, config], manifests: [json(mediaTypes.ociIndex, document)], tags: { 'build-cache': 0 } };
}

function taggedByParameter(algorithm: 'sha256' | 'sha512'): DataType {
  const data = indexOf({ algorithm });
  const tags = Object.fromEntries(
    [...data.manifests.keys(), data.manifests.length - 1].map((manifest, index) => [`parameter-${algorithm}-${index}`, manifest]),
  );
  return { ...data, tags, isTaggedByParameter: true };
}

const largeAnnotations = (): Record<string, string> =>
  Object.fromEntries(Array.from({ length: 390 }, (_, index) => [`large-annotation-${index}`, 'A'.repeat(10_000)]));

/** By name, made anew for each use. */
export const dataTypes: Readonly<Record<string, () => DataType>> = {
  image: () => single(randomImage(), 'image'),
  'image of one empty layer': () => single(randomImage({ layers: 1, layerBytes: 0 }), 'empty-layer'),
  'image with a manifest of 3.9 MB': () => single(randomImage({ fields: { annotations: largeAnnotations() } }), 'large-manifest'),
  index: () => indexOf({}, 'index'),
  'index of indexes': nestedIndex,
  'empty index': () => indexOf({ images: 0 }, 'empty-index'),
  artifact: () => singleArtifact('artifact', contentOf(exampleType, randomBytesOf(300))),
  'artifact whose layer is the empty JSON object': () => singleArtifact('artifact-without-layers', empty),
  'index of artifacts': artifactIndex,
  'artifacts and an image with a subject': withSubjects,
  'indexes with a subject': indexWithSubject,
  'artifact with a subject that is missing': missingSubject,
  'descriptors with data': withData,
  'layers that may not be distributed': nonDistributable,
  'fields that nobody knows': () =>
    single(randomImage({ fields: { 'org.example.extra': { deep: ['x', 1, null] }, extra: 'text' } }), 'custom-fields'),
  'image without layers': () => single(randomImage({ layers: 0 }), 'no-layers'),
  'sha512 throughout': () => indexOf({ algorithm: 'sha512' }),
  'tags as parameters, sha256': () => taggedByParameter('sha256'),
  'tags as parameters, sha512': () => taggedByParameter('sha512'),
  'Docker image and list': dockerImage,
  'artifact manifest of the release candidates': () => oldArtifact(mediaTypes.ociArtifact),
  'artifact manifest of ORAS': () => oldArtifact(mediaTypes.orasArtifact),
  'build cache of BuildKit': buildCache,
};
