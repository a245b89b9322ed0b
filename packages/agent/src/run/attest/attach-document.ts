import type { RegistryAccess } from '../registry/registry-access.ts';
import { requireListed } from './require-listed.ts';
import type { Subject } from './subject.ts';

const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const emptyType = 'application/vnd.oci.empty.v1+json';
const empty = Buffer.from('{}');

/** A document that is to be found from the image that it is about. */
export interface Attachment {
  readonly subject: Subject;
  /** Of the document, and of the manifest around it. */
  readonly artifactType: string;
  readonly fileName: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly document: object;
  readonly created: Date;
}

/**
 * Pushes a document as a referrer of an image, and makes sure that the image's referrers have it.
 * @returns the digest of its manifest
 * @throws RegistryRefused
 */
export async function attachDocument(access: RegistryAccess, attachment: Attachment): Promise<string> {
  const { subject, artifactType, fileName, annotations, document, created } = attachment;
  const { repository, mediaType, digest: subjectDigest, size } = subject;
  const bytes = Buffer.from(JSON.stringify(document));
  const config = await access.putBlob(repository, empty);
  const layer = await access.putBlob(repository, bytes);
  const own = { 'org.opencontainers.image.created': created.toISOString(), ...annotations };
  const title = { 'org.opencontainers.image.title': fileName, ...annotations };
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      artifactType,
      config: { mediaType: emptyType, digest: config, size: empty.length, data: empty.toString('base64') },
      layers: [{ mediaType: artifactType, digest: layer, size: bytes.length, annotations: title }],
      subject: { mediaType, digest: subjectDigest, size },
      annotations: own,
    }),
  );
  // It gets no tag: it goes with its image.
  const digest = await access.putManifest(repository, undefined, { mediaType: manifestType, bytes: manifest });
  const described = { mediaType: manifestType, digest, size: manifest.length, artifactType, annotations: own };
  await requireListed(access, subject, described);
  return digest;
}
