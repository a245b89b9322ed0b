import { type RegistryAccess, RegistryRefused } from '../registry/registry-access.ts';
import type { Subject } from './subject.ts';

const indexType = 'application/vnd.oci.image.index.v1+json';

export interface ReferrerDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly artifactType: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * Makes sure that a referrer is found from its image. Registries that keep no lists of referrers have an index under a tag instead,
 * which whoever attaches something keeps (OCI distribution 1.1, "Pushing manifests with subject").
 * @throws RegistryRefused
 */
export async function requireListed(access: RegistryAccess, subject: Subject, referrer: ReferrerDescriptor): Promise<void> {
  const { repository, digest } = subject;
  const listed = await access.referrers(repository, digest, referrer.artifactType);
  if (listed === undefined) return addToTag(access, subject, referrer);
  if (listed.includes(referrer.digest)) return;
  throw new RegistryRefused(
    `${subject.registry} took ${referrer.artifactType} for ${digest}, and does not list it among its referrers`,
  );
}

async function addToTag(access: RegistryAccess, { repository, digest }: Subject, referrer: ReferrerDescriptor): Promise<void> {
  const tag = digest.replace(':', '-');
  const known = await access.manifest(repository, tag);
  const { manifests = [] } =
    known === undefined ? {} : (JSON.parse(known.bytes.toString()) as { manifests?: readonly { readonly digest: string }[] });
  const others = manifests.filter((each) => each.digest !== referrer.digest);
  const index = { schemaVersion: 2, mediaType: indexType, manifests: [...others, referrer] };
  await access.putManifest(repository, tag, { mediaType: indexType, bytes: Buffer.from(JSON.stringify(index)) });
}
