import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { Assignment } from '@berth/api';
import { RegistryAccess } from '../registry/registry-access.ts';
import { withEveryEngine } from '../test-engines.ts';
import { type EngineScope, type Session, execute, leftovers, loginsOf } from '../test-session.ts';
import { requireSpdx } from './test-spdx.ts';

const spdxType = 'application/spdx+json';
const inTotoType = 'application/vnd.in-toto+json';
const status = 'Package: hello\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:2.10-3\n';
const files = {
  status,
  Dockerfile: 'FROM scratch\nARG TARGETARCH=amd64\nCOPY status /var/lib/dpkg/status\nCOPY busybox /busybox-$TARGETARCH\n',
};

interface Attached {
  readonly artifactType: string;
  readonly config: { readonly mediaType: string };
  readonly layers: readonly {
    readonly mediaType: string;
    readonly digest: string;
    readonly annotations: Readonly<Record<string, string>>;
  }[];
  readonly subject: { readonly digest: string; readonly mediaType: string; readonly size: number };
}

function defineTests(get: () => Session, { runsContainers, isWhole }: EngineScope): void {
  afterEach(async () => assert.deepEqual(await leftovers(get()), [], 'nothing is left on the engine'));
  const access = (): RegistryAccess => new RegistryAccess(get().registry.host, loginsOf(get()), AbortSignal.timeout(20_000));
  const json = async (repository: string, digest: string): Promise<unknown> =>
    JSON.parse((await access().blob(repository, digest)).toString());
  const attached = async (repository: string, digest: string, type: string): Promise<readonly Attached[]> => {
    const digests = (await access().referrers(repository, digest, type)) ?? assert.fail('referrers are listed');
    const manifests = await Promise.all(digests.map((each) => access().manifest(repository, each)));
    return manifests.map((each) => JSON.parse(each?.bytes.toString() ?? '') as Attached);
  };
  const documentOf = (repository: string, manifest: Attached | undefined): Promise<unknown> =>
    json(repository, manifest?.layers[0]?.digest ?? '');

  test('provenance is attached once, however many tags an image has', async () => {
    const work: Assignment['work'] = { kind: 'build', images: ['from:1', 'from:2'], provenance: true };
    const { end, log } = await execute(get(), work, { files });
    assert.equal(end.outcome, 'Succeeded', log.join('\n'));
    const [image, again] = end.images;
    assert.equal(image?.digest, again?.digest);
    const found = await attached('from', image?.digest ?? '', inTotoType);
    assert.equal(found.length, 1);
    assert.equal(found[0]?.subject.digest, image?.digest);
    const statement = (await documentOf('from', found[0])) as { subject: readonly { digest: { sha256: string } }[] };
    assert.equal(`sha256:${statement.subject[0]?.digest.sha256}`, image?.digest);
    assert.deepEqual(await attached('from', image?.digest ?? '', spdxType), []);
  });

  if (isWhole)
    test('attack 33: a run of an untrusted source has nothing to attach to', async () => {
      const work: Assignment['work'] = { kind: 'build', images: ['fork:1'], sbom: true, provenance: true };
      const { end, log } = await execute(get(), work, { files, assignment: { isTrusted: false } });
      assert.equal(end.outcome, 'Succeeded', log.join('\n'));
      assert.deepEqual(end.images, []);
      assert.ok(log.some((line) => line.includes('neither SBOM nor provenance')));
    });

  const sbom: Assignment['work'] = { kind: 'build', images: ['listed:1'], sbom: true };
  if (!runsContainers) {
    test('an SBOM that the engine cannot give is refused before anything is built', async () => {
      const { end, steps } = await execute(get(), sbom, { files });
      assert.equal(end.outcome, 'Failed');
      assert.match(end.message ?? '', /this agent has buildah.*docker or podman/);
      assert.ok(steps.every(({ state }) => state === 'waiting'));
    });
    return;
  }

  test('a build step of a task file asks for its image alone, which has each document once whichever steps push it', async () => {
    const secret = 'a value of the store';
    const content = `version: v1.1.0
secrets:
  - id: token
    keyvault: https://berth/secrets/token
steps:
  - id: app
    build: -t $Registry/filed:1 -t $Registry/filed:2 --build-arg 'TOKEN=x-{{.Secrets.token}}' --sbom=true --provenance=mode=max .
  - id: plain
    build: -t $Registry/plain:1 .
  - id: local
    build: -t local --attest type=provenance .
  - push: [$Registry/filed:1]
  - push: ['{{.Run.Registry}}/filed:2', $Registry/plain:1]
`;
    const work: Assignment['work'] = { kind: 'inline', content };
    const { id, end, log } = await execute(get(), work, { files, secrets: { token: secret } });
    assert.equal(end.outcome, 'Succeeded', log.join('\n'));
    assert.ok(
      log.some((line) =>
        line.endsWith('The step local asks for SBOM or provenance, and no push step has its image: they are not made'),
      ),
    );
    const digestOf = (repository: string): string => end.images.find((each) => each.repository === repository)?.digest ?? '';
    const lists = await attached('filed', digestOf('filed'), spdxType);
    const statements = await attached('filed', digestOf('filed'), inTotoType);
    assert.deepEqual([lists.length, statements.length], [1, 1], log.join('\n'));
    const spdx = requireSpdx(await documentOf('filed', lists[0]));
    assert.deepEqual(
      spdx.packages.map(({ name }) => name),
      [`${get().registry.host}/filed`, 'hello'],
    );
    const statement = (await documentOf('filed', statements[0])) as {
      predicate: {
        buildDefinition: { externalParameters: { step: string; buildArguments: unknown } };
        runDetails: { metadata: { invocationId: string } };
      };
    };
    const { buildDefinition, runDetails } = statement.predicate;
    assert.equal(buildDefinition.externalParameters.step, 'app');
    assert.deepEqual(buildDefinition.externalParameters.buildArguments, { TOKEN: 'x-***' });
    assert.equal(runDetails.metadata.invocationId, `${get().registry.host}/${id}`);
    for (const type of [spdxType, inTotoType]) assert.deepEqual(await attached('plain', digestOf('plain'), type), []);
  });

  // What is read of files is the same for each engine that hands them out.
  if (!isWhole) return;
  test('each platform has its SBOM and provenance; their index has provenance', async () => {
    const work: Assignment['work'] = { ...sbom, images: ['many:1'], platforms: ['linux/amd64', 'linux/arm64'], provenance: true };
    const { end, log } = await execute(get(), work, { files });
    assert.equal(end.outcome, 'Succeeded', log.join('\n'));
    const index = end.images[0]?.digest ?? '';
    assert.equal((await attached('many', index, inTotoType)).length, 1);
    assert.deepEqual(await attached('many', index, spdxType), []);
    const { manifests } = JSON.parse((await access().manifest('many', index))?.bytes.toString() ?? '') as {
      manifests: readonly { digest: string; mediaType: string; size: number; platform: { architecture: string } }[];
    };
    for (const { digest, mediaType, size, platform } of manifests) {
      const [list] = await attached('many', digest, spdxType);
      assert.deepEqual(list?.subject, { mediaType, digest, size });
      assert.equal(list.config.mediaType, 'application/vnd.oci.empty.v1+json');
      assert.equal(list.layers[0]?.annotations['org.opencontainers.image.title'], 'sbom.spdx.json');
      const spdx = requireSpdx(await documentOf('many', list));
      assert.deepEqual(
        spdx.packages.map(({ name }) => name),
        [`${get().registry.host}/many`, 'hello'],
      );
      const [statement] = await attached('many', digest, inTotoType);
      const { predicate } = (await documentOf('many', statement)) as {
        predicate: { buildDefinition: { externalParameters: { platforms: unknown } } };
      };
      assert.deepEqual(predicate.buildDefinition.externalParameters.platforms, [`linux/${platform.architecture}`]);
    }
  });

  test('an image without files, and one that cannot be listed: the latter is not pushed', async () => {
    const empty = await execute(get(), { ...sbom, images: ['empty:1'] }, { files: { Dockerfile: 'FROM scratch\nLABEL a=b\n' } });
    assert.equal(empty.end.outcome, 'Succeeded', empty.log.join('\n'));
    const [list] = await attached('empty', empty.end.images[0]?.digest ?? '', spdxType);
    assert.equal(requireSpdx(await documentOf('empty', list)).packages.length, 1);
    const large = { ...files, status: `${status}Description: ${'x'.repeat(65 * 2 ** 20)}\n` };
    const { end } = await execute(get(), sbom, { files: large });
    assert.equal(end.outcome, 'Failed');
    assert.match(
      end.message ?? '',
      /nothing was pushed: the SBOM of the image cannot be made: "var\/lib\/dpkg\/status" has more/,
    );
    assert.deepEqual(end.images, []);
    assert.equal(await access().manifest('listed', '1'), undefined);
  });
}

withEveryEngine(defineTests);
