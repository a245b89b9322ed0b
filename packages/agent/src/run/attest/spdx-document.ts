import { randomUUID } from 'node:crypto';
import type { BaseImageUse } from '@berth/api';
import { DeclaredLicences } from './declared-licences.ts';
import type { FoundPackage } from './found-package.ts';
import type { ImageContents } from './image-contents.ts';
import { type ImageName, imageUrl, packageUrl } from './package-url.ts';
import { type Subject, basesFor } from './subject.ts';

export interface SpdxFacts {
  readonly subject: Subject;
  readonly contents: ImageContents;
  readonly bases: readonly BaseImageUse[];
  readonly run: string;
  readonly agentVersion: string;
  readonly created: Date;
}

interface Relationship {
  readonly spdxElementId: string;
  readonly relationshipType: string;
  readonly relatedSpdxElement: string;
}

const documentId = 'SPDXRef-DOCUMENT';
const imageId = 'SPDXRef-Image';

/** A list of what is in an image: SPDX 2.3, as JSON. */
export function spdxDocument({ subject, contents, bases, run, agentVersion, created }: SpdxFacts): object {
  const { registry, repository, digest } = subject;
  const licences = new DeclaredLicences();
  const packages: object[] = [imagePackage(imageId, { ...subject, platform: subject.platforms[0] })];
  const relationships: Relationship[] = [related(documentId, 'DESCRIBES', imageId)];
  for (const [index, base] of basesFor(subject.platforms, bases).entries()) {
    const id = `SPDXRef-Base-${index + 1}`;
    packages.push(imagePackage(id, base));
    relationships.push(
      base.role === 'runtime' ? related(imageId, 'DESCENDANT_OF', id) : related(id, 'BUILD_DEPENDENCY_OF', imageId),
    );
  }
  for (const [index, found] of contents.packages.entries()) {
    const id = `SPDXRef-Package-${index + 1}-${found.type}-${found.name.replaceAll(/[^A-Za-z0-9.-]+/g, '-')}`;
    packages.push(listedPackage(id, found, { url: packageUrl(found, contents.system), licences }));
    relationships.push(related(imageId, 'CONTAINS', id));
  }
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: documentId,
    name: `${registry}/${repository}@${digest}`,
    documentNamespace: `tag:berth,2026:spdx/${encodeURIComponent(registry)}/${repository}/${digest}/${encodeURIComponent(run)}/${randomUUID()}`,
    // SPDX takes whole seconds.
    creationInfo: { created: `${created.toISOString().slice(0, 19)}Z`, creators: [`Tool: berth-agent-${agentVersion}`] },
    comment: commentOf(contents),
    packages,
    relationships,
    ...(licences.quoted.length > 0 && { hasExtractedLicensingInfos: licences.quoted }),
  };
}

function related(spdxElementId: string, relationshipType: string, relatedSpdxElement: string): Relationship {
  return { spdxElementId, relationshipType, relatedSpdxElement };
}

function commentOf({ gaps }: ImageContents): string {
  const source =
    'Read from the package databases of the image: dpkg, apk, package.json in node_modules, dist-info and egg-info of Python. ' +
    'What was put into the image without a package is not listed.';
  return [source, ...gaps].join('\n');
}

/** What SPDX wants to know of a package and nobody says. */
const unknown = {
  downloadLocation: 'NOASSERTION',
  filesAnalyzed: false,
  licenseConcluded: 'NOASSERTION',
  copyrightText: 'NOASSERTION',
} as const;

function imagePackage(id: string, image: ImageName): object {
  const [algorithm = '', checksumValue = ''] = image.digest.split(':');
  return {
    SPDXID: id,
    name: `${image.registry}/${image.repository}`,
    versionInfo: image.digest,
    primaryPackagePurpose: 'CONTAINER',
    ...unknown,
    licenseDeclared: 'NOASSERTION',
    ...(/^sha(?:256|512)$/.test(algorithm) && { checksums: [{ algorithm: algorithm.toUpperCase(), checksumValue }] }),
    externalRefs: [purlReference(imageUrl(image))],
  };
}

function listedPackage(
  id: string,
  { name, version, licence, homepage, sourceInfo }: FoundPackage,
  { url, licences }: { readonly url: string; readonly licences: DeclaredLicences },
): object {
  return {
    SPDXID: id,
    name,
    versionInfo: version,
    ...unknown,
    licenseDeclared: licences.expressionOf(licence),
    ...(homepage !== undefined && { homepage }),
    ...(sourceInfo !== undefined && { sourceInfo }),
    externalRefs: [purlReference(url)],
  };
}

function purlReference(referenceLocator: string): object {
  return { referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator };
}
