import assert from 'node:assert/strict';

interface SpdxPackage {
  readonly SPDXID: string;
  readonly name: string;
  readonly licenseDeclared: string;
}

interface SpdxDocument {
  readonly documentNamespace: string;
  readonly comment?: string;
  readonly creationInfo: { readonly created: string };
  readonly packages: readonly SpdxPackage[];
  readonly relationships: readonly {
    readonly spdxElementId: string;
    readonly relationshipType: string;
    readonly relatedSpdxElement: string;
  }[];
}

type Members = Readonly<Record<string, unknown>>;
type Check = (value: unknown) => void;

const oneOf =
  (...values: readonly unknown[]): Check =>
  (value) =>
    assert.ok(values.includes(value), String(value));
const like =
  (pattern: RegExp): Check =>
  (value) => {
    assert.equal(typeof value, 'string');
    assert.match(value as string, pattern);
  };
const line = like(/^\S(?:[^\p{Cc}]*\S)?$/u);
const each =
  (check: Check): Check =>
  (value) => {
    assert.ok(Array.isArray(value) && value.length > 0);
    for (const one of value) check(one);
  };

/** Members of an object: those with `?` may be missing, others may not be there. */
function members(checks: Readonly<Record<string, Check>>): Check {
  return (value) => {
    assert.ok(typeof value === 'object' && value !== null);
    const given = value as Members;
    for (const name of Object.keys(given)) assert.ok(name in checks || `${name}?` in checks, `unknown member ${name}`);
    for (const [key, check] of Object.entries(checks)) {
      const name = key.replace(/\?$/, '');
      if (!(name in given)) assert.ok(key.endsWith('?'), `${name} is missing`);
      else check(given[name]);
    }
  };
}

const spdxId = like(/^SPDXRef-[A-Za-z0-9.-]+$/);
const licence = like(/^(?:NOASSERTION|NONE|\(?[A-Za-z0-9].*)$/);
const spdxPackage = members({
  SPDXID: spdxId,
  name: line,
  versionInfo: line,
  downloadLocation: oneOf('NOASSERTION'),
  filesAnalyzed: oneOf(false),
  licenseConcluded: oneOf('NOASSERTION'),
  licenseDeclared: licence,
  copyrightText: oneOf('NOASSERTION'),
  'primaryPackagePurpose?': oneOf('CONTAINER'),
  'homepage?': like(/^https?:\/\/\S+$/),
  'sourceInfo?': line,
  'checksums?': each(members({ algorithm: oneOf('SHA256', 'SHA512'), checksumValue: like(/^(?:[0-9a-f]{64}|[0-9a-f]{128})$/) })),
  externalRefs: each(
    members({
      referenceCategory: oneOf('PACKAGE-MANAGER'),
      referenceType: oneOf('purl'),
      referenceLocator: like(/^pkg:[a-z]+\/[A-Za-z0-9._~%/:-]+@[A-Za-z0-9._~%:-]+(?:\?[a-z_]+=[^&\s]+(?:&[a-z_]+=[^&\s]+)*)?$/),
    }),
  ),
});

const document = members({
  spdxVersion: oneOf('SPDX-2.3'),
  dataLicense: oneOf('CC0-1.0'),
  SPDXID: oneOf('SPDXRef-DOCUMENT'),
  name: line,
  documentNamespace: like(/^[a-z][a-z0-9+.-]*:[A-Za-z0-9\-._~:/?@!$&'()*+,;=%]+$/),
  creationInfo: members({
    created: like(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    creators: each(like(/^(?:Tool|Organization|Person): \S/)),
  }),
  'comment?': (value) => assert.equal(typeof value, 'string'),
  packages: each(spdxPackage),
  relationships: each(
    members({
      spdxElementId: spdxId,
      relationshipType: oneOf('DESCRIBES', 'CONTAINS', 'DESCENDANT_OF', 'BUILD_DEPENDENCY_OF'),
      relatedSpdxElement: spdxId,
    }),
  ),
  'hasExtractedLicensingInfos?': each(
    members({ licenseId: like(/^LicenseRef-[A-Za-z0-9.-]+$/), extractedText: line, name: line }),
  ),
});

/** Fails for what is no SPDX 2.3 document in the shape of Berth's: for tests. */
export function requireSpdx(value: unknown): SpdxDocument {
  document(value);
  const spdx = value as SpdxDocument & { readonly hasExtractedLicensingInfos?: readonly { readonly licenseId: string }[] };
  const ids = ['SPDXRef-DOCUMENT', ...spdx.packages.map(({ SPDXID }) => SPDXID)];
  assert.equal(new Set(ids).size, ids.length, 'ids are unique');
  for (const { spdxElementId, relatedSpdxElement } of spdx.relationships)
    for (const id of [spdxElementId, relatedSpdxElement]) assert.ok(ids.includes(id), `${id} is an element`);
  const related = new Set(spdx.relationships.flatMap((one) => [one.spdxElementId, one.relatedSpdxElement]));
  for (const id of ids) assert.ok(related.has(id), `${id} is related to something`);
  const quoted = new Set((spdx.hasExtractedLicensingInfos ?? []).map(({ licenseId }) => licenseId));
  const used = new Set(spdx.packages.flatMap(({ licenseDeclared }) => licenseDeclared.match(/LicenseRef-[A-Za-z0-9.-]+/g) ?? []));
  assert.deepEqual(used, quoted, 'licences that are quoted are used, and the other way round');
  return spdx;
}
