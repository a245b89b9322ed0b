import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Run } from '@berth/api';
import { taskSuite } from './task-suite.ts';

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Spdx {
  readonly spdxVersion: string;
  readonly documentNamespace: string;
  readonly packages: readonly {
    readonly SPDXID: string;
    readonly name: string;
    readonly versionInfo: string;
    readonly licenseDeclared: string;
    readonly externalRefs: readonly { readonly referenceLocator: string }[];
  }[];
  readonly relationships: readonly {
    readonly spdxElementId: string;
    readonly relationshipType: string;
    readonly relatedSpdxElement: string;
  }[];
}

const status = `Package: hello
Status: install ok installed
Architecture: amd64
Version: 2.10-3
Description: example package
 a second line

Package: removed
Status: deinstall ok config-files
Architecture: amd64
Version: 1.0-1
`;

taskSuite('attestations', {}, (world) => {
  before(async () => {
    await world().pushTools('base/tools:v1', []);
    await world().startAgent();
  });

  const json = async (path: string): Promise<unknown> => {
    using client = world().client;
    const answer = await client.request('GET', path, { authorization: client.basic });
    assert.equal(answer.status, 200, `${path}: ${answer.body.toString()}`);
    return JSON.parse(answer.body.toString());
  };
  const referrers = async (repository: string, digest: string): Promise<readonly Descriptor[]> =>
    ((await json(`/v2/${repository}/referrers/${digest}`)) as { readonly manifests: readonly Descriptor[] }).manifests;
  const build = async (folder: string, args: readonly string[], env: Record<string, string> = {}): Promise<Run> => {
    const { code, stdout, stderr } = await world().berth(['build', '--json', ...args, folder], { env });
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    return JSON.parse(stdout) as Run;
  };

  test('a build attaches its SBOM and its provenance, which tell no secret', async () => {
    const here = world();
    const folder = await here.write('attested', {
      status,
      'os-release': 'ID=debian\nVERSION_ID="12"\n',
      'package.json': '{"name":"left-pad","version":"1.3.0","license":"WTFPL"}',
      Dockerfile: [
        `FROM ${here.host}/base/tools:v1`,
        'ARG GREETING',
        'COPY os-release /usr/lib/os-release',
        'COPY status /var/lib/dpkg/status',
        'COPY package.json /app/node_modules/left-pad/package.json',
        'RUN --mount=type=secret,id=PASSWORD test -s /run/secrets/PASSWORD && echo "$GREETING" > /greeting\n',
      ].join('\n'),
    });
    const secret = 'correct horse battery staple';
    const args = ['--image', 'attest/app:v1', '--image', 'attest/app:latest', '--sbom', '--provenance'];
    const values = ['--build-arg', 'GREETING=hello', '--secret-build-arg', 'PASSWORD'];
    const run = await build(folder, [...args, ...values], { PASSWORD: secret });
    const digest = await here.digest('attest/app', 'v1');
    const found = await referrers('attest/app', digest);
    assert.deepEqual(found.map(({ artifactType }) => String(artifactType)).toSorted(), [
      'application/spdx+json',
      'application/vnd.in-toto+json',
    ]);
    const documentOf = async (artifactType: string): Promise<unknown> => {
      const descriptor = found.find((each) => each.artifactType === artifactType);
      const manifest = (await json(`/v2/attest/app/manifests/${descriptor?.digest}`)) as {
        readonly config: Descriptor;
        readonly layers: readonly Descriptor[];
        readonly subject: Descriptor;
      };
      assert.equal(manifest.config.mediaType, 'application/vnd.oci.empty.v1+json');
      assert.equal(manifest.subject.digest, digest);
      assert.equal(manifest.layers[0]?.mediaType, artifactType);
      assert.match(
        manifest.layers[0].annotations?.['org.opencontainers.image.title'] ?? '',
        /^(?:sbom|provenance)\.\w+\.json$|^provenance/,
      );
      const document = await json(`/v2/attest/app/blobs/${manifest.layers[0].digest}`);
      assert.ok(!JSON.stringify(document).includes(secret), 'the secret is not in it');
      return document;
    };

    const spdx = (await documentOf('application/spdx+json')) as Spdx;
    const baseDigest = await here.digest('base/tools', 'v1');
    assert.equal(spdx.spdxVersion, 'SPDX-2.3');
    assert.ok(spdx.documentNamespace.includes(run.id));
    assert.deepEqual(
      spdx.packages.map(({ name, versionInfo, licenseDeclared }) => `${name} ${versionInfo} ${licenseDeclared}`),
      [
        `${here.host}/attest/app ${digest} NOASSERTION`,
        `${here.host}/base/tools ${baseDigest} NOASSERTION`,
        'hello 2.10-3 NOASSERTION',
        'left-pad 1.3.0 WTFPL',
      ],
    );
    assert.deepEqual(
      spdx.packages.slice(2).flatMap(({ externalRefs }) => externalRefs.map(({ referenceLocator }) => referenceLocator)),
      ['pkg:deb/debian/hello@2.10-3?arch=amd64&distro=debian-12', 'pkg:npm/left-pad@1.3.0'],
    );
    assert.deepEqual(
      spdx.relationships.map(({ relationshipType }) => relationshipType),
      ['DESCRIBES', 'DESCENDANT_OF', 'CONTAINS', 'CONTAINS'],
    );

    const statement = (await documentOf('application/vnd.in-toto+json')) as {
      readonly subject: unknown;
      readonly predicateType: string;
      readonly predicate: {
        readonly buildDefinition: {
          readonly externalParameters: Readonly<Record<string, unknown>>;
          readonly resolvedDependencies: readonly { readonly digest: unknown }[];
        };
        readonly runDetails: { readonly builder: { readonly id: string }; readonly metadata: { readonly invocationId: string } };
      };
    };
    assert.deepEqual(statement.subject, [
      { name: `${here.host}/attest/app`, digest: { sha256: digest.slice('sha256:'.length) } },
    ]);
    assert.equal(statement.predicateType, 'https://slsa.dev/provenance/v1');
    const { buildDefinition, runDetails } = statement.predicate;
    assert.deepEqual(buildDefinition.externalParameters, {
      source: { kind: 'upload' },
      dockerfile: 'Dockerfile',
      buildArguments: { GREETING: 'hello' },
      secrets: ['PASSWORD'],
      noCache: false,
      platforms: ['linux/amd64'],
    });
    assert.deepEqual(
      buildDefinition.resolvedDependencies.map((each) => each.digest),
      [{ sha256: baseDigest.slice('sha256:'.length) }],
    );
    assert.equal(runDetails.builder.id, 'tag:berth,2026:agent/agent-0');
    assert.equal(runDetails.metadata.invocationId, `${here.host}/${run.id}`);
    const tags = (await json('/v2/attest/app/tags/list')) as { readonly tags: unknown };
    assert.deepEqual(tags.tags, ['latest', 'v1'], 'they have no tags of their own');
  });

  test('build steps of a task file ask for them, too, and secrets of templates stay out of them', async () => {
    const here = world();
    const content = `version: v1.1.0
steps:
  - id: app
    build: -t $Registry/attest/filed:$ID --build-arg 'GREETING={{.Values.greeting}}' --sbom=true --provenance=true .
  - id: other
    build: -t $Registry/attest/other:$ID .
  - push: [$Registry/attest/filed:$ID, $Registry/attest/other:$ID]
`;
    const folder = await here.write('filed', {
      status,
      Dockerfile: `FROM ${here.host}/base/tools:v1\nARG GREETING\nCOPY status /var/lib/dpkg/status\n`,
      'task.yaml': content,
    });
    const greeting = 'a very secret greeting';
    const { code, stdout, stderr } = await here.berth(['run', '--file', 'task.yaml', '--set-secret', 'greeting', '--json', '.'], {
      cwd: folder,
      env: { greeting },
    });
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    const { id } = JSON.parse(stdout) as Run;
    const found = await referrers('attest/filed', await here.digest('attest/filed', id));
    const documents = await Promise.all(
      found.map(async ({ artifactType, digest }) => {
        const { layers } = (await json(`/v2/attest/filed/manifests/${digest}`)) as { readonly layers: readonly Descriptor[] };
        return [artifactType, await json(`/v2/attest/filed/blobs/${layers[0]?.digest}`)] as const;
      }),
    );
    assert.ok(!JSON.stringify(documents).includes(greeting));
    const named = new Map(documents);
    assert.equal(named.size, 2);
    const { packages } = named.get('application/spdx+json') as Spdx;
    assert.ok(packages.some(({ name }) => name === 'hello'));
    const { predicate } = named.get('application/vnd.in-toto+json') as {
      readonly predicate: { readonly buildDefinition: { readonly externalParameters: object } };
    };
    assert.deepEqual(predicate.buildDefinition.externalParameters, {
      source: { kind: 'upload' },
      step: 'app',
      dockerfile: 'Dockerfile',
      buildArguments: { GREETING: '***' },
      secrets: [],
      noCache: false,
      platforms: ['linux/amd64'],
    });
    assert.deepEqual(await referrers('attest/other', await here.digest('attest/other', id)), []);
  });

  test('a build that does not ask has nothing attached, and one that is not pushed says so', async () => {
    const here = world();
    const folder = await here.write('plain', { Dockerfile: `FROM ${here.host}/base/tools:v1\nLABEL plain=yes\n` });
    await build(folder, ['--image', 'attest/plain:v1']);
    assert.deepEqual(await referrers('attest/plain', await here.digest('attest/plain', 'v1')), []);
    const { id } = await build(folder, ['--image', 'attest/none:v1', '--no-push', '--sbom']);
    assert.ok((await here.log(id)).some(({ text }) => /Nothing is to be pushed: SBOM/.test(text)));
  });
});
