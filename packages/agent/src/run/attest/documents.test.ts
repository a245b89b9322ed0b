import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Assignment, BaseImageUse } from '@berth/api';
import { type ProvenanceFacts, provenanceStatement } from './provenance.ts';
import { Masks } from '../../log/index.ts';
import { secretsOf } from '../run-secrets.ts';
import { requireSpdx } from './test-spdx.ts';
import { shownAddress } from './shown-address.ts';
import { type SpdxFacts, spdxDocument } from './spdx-document.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const base: BaseImageUse = {
  role: 'runtime',
  registry: 'docker.io',
  repository: 'library/debian',
  tag: '12',
  digest: `sha256:${'b'.repeat(64)}`,
  platform: 'linux/amd64',
};
const bases: readonly BaseImageUse[] = [
  base,
  { ...base, role: 'buildtime', repository: 'library/golang', digest: `sha256:${'c'.repeat(64)}` },
  { ...base, platform: 'linux/arm64', digest: `sha256:${'d'.repeat(64)}` },
];
const subject = {
  registry: 'localhost:5000',
  repository: 'team/app',
  tag: 'v1',
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  digest,
  size: 500,
  platforms: ['linux/amd64'],
};
const spdxFacts: SpdxFacts = {
  subject,
  contents: {
    system: { id: 'debian', versionId: '12' },
    packages: [
      { type: 'deb', name: 'libstdc++6', version: '1:12', architecture: 'amd64', homepage: 'https://gcc.gnu.org/' },
      { type: 'npm', name: '@a/b_c', version: '1.0.0', licence: 'MIT' },
      { type: 'apk', name: 'x', version: '1', licence: 'GPL2', sourceInfo: 'built from the source package y' },
    ],
    gaps: ['Something was not read.'],
  },
  bases,
  run: 'c1',
  agentVersion: '0.1.0',
  created: new Date('2026-01-02T03:04:05.678Z'),
};

test('an SBOM is a valid SPDX 2.3 document', () => {
  const document = requireSpdx(JSON.parse(JSON.stringify(spdxDocument(spdxFacts))));
  assert.equal(document.creationInfo.created, '2026-01-02T03:04:05Z');
  assert.match(document.comment ?? '', /Something was not read\.$/);
  const named = new Map(document.packages.map((each) => [each.SPDXID, each.name]));
  assert.deepEqual(
    document.relationships.map((each) =>
      [each.spdxElementId, each.relationshipType, each.relatedSpdxElement].map((id) => named.get(id) ?? id).join(' '),
    ),
    [
      'SPDXRef-DOCUMENT DESCRIBES localhost:5000/team/app',
      'localhost:5000/team/app DESCENDANT_OF docker.io/library/debian',
      'docker.io/library/golang BUILD_DEPENDENCY_OF localhost:5000/team/app',
      ...['libstdc++6', '@a/b_c', 'x'].map((name) => `localhost:5000/team/app CONTAINS ${name}`),
    ],
  );
  assert.deepEqual(
    document.packages.slice(3).map(({ licenseDeclared }) => licenseDeclared.replace(/-[0-9a-f]+$/, '')),
    ['NOASSERTION', 'MIT', 'LicenseRef'],
  );
});

test('each SBOM has a namespace of its own, also of an image without packages', () => {
  const contents = { system: undefined, packages: [], gaps: [] };
  const documents = [1, 2].map(() =>
    requireSpdx(JSON.parse(JSON.stringify(spdxDocument({ ...spdxFacts, contents, bases: [] })))),
  );
  assert.notEqual(documents[0]?.documentNamespace, documents[1]?.documentNamespace);
});

const assignment: Assignment = {
  run: {
    id: 'c1',
    registry: 'localhost:5000',
    registryName: 'local',
    date: '20260101-000000z',
    taskName: 'nightly',
    triggeredBy: 'timer',
    commit: '',
    branch: '',
  },
  lease: 'the-lease-of-it',
  leaseSeconds: 60,
  timeoutSeconds: 3600,
  work: {
    kind: 'build',
    images: ['team/app:v1'],
    arguments: [
      { name: 'OPEN', value: 'seen' },
      { name: 'KEY', value: 'k3y+/= of it', isSecret: true },
    ],
  },
  source: {
    kind: 'git',
    url: 'https://somebody:p4ssw0rd@git.example/team/app.git?token=t0ken',
    ref: 'main',
    folder: 'web',
    token: 'git-t0ken',
  },
  platform: { os: 'Linux', architecture: 'amd64' },
  values: [{ name: 'v', value: 'secret-value', isSecret: true }],
  logins: [{ server: 'localhost:5000', username: '$run', password: 'registry-passw0rd' }],
  isTrusted: true,
  cacheKey: '',
  logFrom: 0,
};
const masks = new Masks();
for (const secret of secretsOf(assignment)) masks.add(secret);
const provenanceFacts: ProvenanceFacts = {
  subject,
  built: {
    bases,
    startedAt: new Date('2026-01-02T03:04:05.678Z'),
    dockerfile: 'web/Dockerfile',
    step: 'build',
    secrets: ['KEY'],
    noCache: false,
    target: 'final',
    arguments: new Map([
      ['OPEN', 'seen'],
      ['COPIED', `x-${encodeURIComponent('k3y+/= of it')}-git-t0ken`],
    ]),
  },
  assignment,
  agent: { name: 'agent one', version: '0.1.0' },
  engine: { name: 'docker', version: '20.10' },
  commit: 'c'.repeat(40),
  finishedAt: new Date('2026-01-02T03:05:00Z'),
  show: (text) => masks.apply(text),
};

test('provenance says what was built from what, by whom and when', () => {
  assert.deepEqual(provenanceStatement(provenanceFacts), {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'localhost:5000/team/app', digest: { sha256: 'a'.repeat(64) } }],
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: 'tag:berth,2026:build/v1',
        externalParameters: {
          source: { kind: 'git', url: 'https://git.example/team/app.git', ref: 'main', folder: 'web' },
          dockerfile: 'web/Dockerfile',
          target: 'final',
          buildArguments: { OPEN: 'seen', COPIED: 'x-***-***' },
          secrets: ['KEY'],
          noCache: false,
          platforms: ['linux/amd64'],
        },
        internalParameters: {
          engine: { name: 'docker', version: '20.10' },
          timeoutSeconds: 3600,
          task: 'nightly',
          triggeredBy: 'timer',
        },
        resolvedDependencies: [
          { uri: 'git+https://git.example/team/app.git@main', digest: { gitCommit: 'c'.repeat(40) } },
          {
            uri: `pkg:oci/debian@${base.digest}?arch=amd64&repository_url=docker.io%2Flibrary%2Fdebian&tag=12`,
            digest: { sha256: 'b'.repeat(64) },
            annotations: { role: 'runtime' },
          },
          {
            uri: `pkg:oci/golang@sha256:${'c'.repeat(64)}?arch=amd64&repository_url=docker.io%2Flibrary%2Fgolang&tag=12`,
            digest: { sha256: 'c'.repeat(64) },
            annotations: { role: 'buildtime' },
          },
        ],
      },
      runDetails: {
        builder: { id: 'tag:berth,2026:agent/agent%20one', version: { '@berth/agent': '0.1.0' } },
        metadata: { invocationId: 'localhost:5000/c1', startedOn: '2026-01-02T03:04:05Z', finishedOn: '2026-01-02T03:05:00Z' },
      },
    },
  });
});

test('provenance of a task file names the file and the step', () => {
  const work = { kind: 'file', path: 'ci/task.yaml' } as const;
  const statement = provenanceStatement({ ...provenanceFacts, assignment: { ...assignment, work } }) as {
    readonly predicate: { readonly buildDefinition: { readonly externalParameters: Readonly<Record<string, unknown>> } };
  };
  const { taskFile, step } = statement.predicate.buildDefinition.externalParameters;
  assert.deepEqual([taskFile, step], ['ci/task.yaml', 'build']);
});

test('no secret of a run is in its provenance, wherever it comes from', () => {
  const sources: readonly Assignment['source'][] = [
    assignment.source,
    null,
    { kind: 'upload', id: 'u1' },
    { kind: 'archive', url: 'https://u:p4ssw0rd@host/a.tgz?sig=s1gnature#t0ken' },
    { kind: 'oci', reference: 'host/a:registry-passw0rd' },
    { kind: 'git', url: 'git@host:team/app.git', token: 'git-t0ken' },
  ];
  for (const source of sources) {
    const built = { ...provenanceFacts.built, arguments: new Map([['COPIED', 'x-k3y+/= of it-secret-value']]) };
    const text = JSON.stringify(provenanceStatement({ ...provenanceFacts, built, assignment: { ...assignment, source } }));
    for (const secret of ['k3y', 'p4ssw0rd', 't0ken', 's1gnature', 'secret-value', 'passw0rd', 'the-lease'])
      assert.ok(!text.includes(secret), `${secret} in ${text}`);
  }
});

test('addresses lose what signs in', () => {
  const shown: Readonly<Record<string, string>> = {
    'https://a:b@host/x?y#z': 'https://host/x',
    'ssh://git@host/x': 'ssh://git@host/x',
    'ssh://git:pw@host/x': 'ssh://git@host/x',
    'git@host:x/y.git': 'git@host:x/y.git',
    'user:pw@host/x?y': 'user@host/x',
  };
  for (const [address, expected] of Object.entries(shown)) assert.equal(shownAddress(address), expected);
});
