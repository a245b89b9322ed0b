import { EngineError } from '../../engine/index.ts';
import type { PushedImage } from '../push-tag.ts';
import { RegistryAccess } from '../registry/registry-access.ts';
import type { BuiltImage } from '../run-images.ts';
import type { AttemptContext, RunScene } from '../run-scene.ts';
import { attachDocument } from './attach-document.ts';
import { ContentsUnreadable, type ImageContents } from './image-contents.ts';
import { provenanceStatement, provenanceType } from './provenance.ts';
import { readImage } from './read-image.ts';
import { spdxDocument } from './spdx-document.ts';
import type { Subject } from './subject.ts';

/** What images hold, by the engine's id. */
export type KnownContents = ReadonlyMap<string, ImageContents>;

/**
 * Reads what is in those images of a run of which an SBOM is asked for. It comes before anything is pushed: an image of which no list can
 * be made stays where it is.
 * @throws EngineError, ContentsUnreadable
 */
export async function readContents(
  scene: RunScene,
  built: readonly BuiltImage[],
  { signal, say }: AttemptContext,
): Promise<KnownContents> {
  const contents = new Map<string, ImageContents>();
  for (const { id, platform } of built.filter(({ attests }) => attests.sbom).flatMap(({ images }) => images)) {
    if (contents.has(id)) continue;
    try {
      const found = await readImage(scene, id, signal);
      contents.set(id, found);
      say(`The SBOM${platform === '' ? '' : ` for ${platform}`} lists ${found.packages.length} packages`);
      for (const gap of found.gaps) say(`Warning: ${gap}`);
    } catch (error) {
      const isExpected = error instanceof ContentsUnreadable || error instanceof EngineError;
      throw isExpected ? new ContentsUnreadable(`the SBOM of the image cannot be made: ${error.message}`) : error;
    }
  }
  return contents;
}

export interface ToAttest {
  readonly built: BuiltImage;
  readonly pushed: PushedImage;
  readonly contents: KnownContents;
}

/** Attaches to a pushed image what its build asks for: to the image of each platform, and provenance to their index, too. @throws RegistryRefused */
export async function attestImage(
  scene: RunScene,
  { built, pushed, contents }: ToAttest,
  context: AttemptContext,
): Promise<void> {
  const { attests } = built;
  const { output } = pushed;
  const access = new RegistryAccess(output.registry, scene.host.assignment.logins, context.signal);
  const isIndex = pushed.images.every(({ facts }) => facts.digest !== pushed.facts.digest);
  for (const { facts, id } of pushed.images) {
    const subject = subjectOf(pushed, facts);
    const known = id === undefined ? undefined : contents.get(id);
    if (attests.sbom) await attachSbom(scene, { access, built, subject, contents: known, context });
    if (attests.provenance) await attachProvenance(scene, { access, built, subject, context });
  }
  if (attests.provenance && isIndex)
    await attachProvenance(scene, { access, built, subject: subjectOf(pushed, pushed.facts), context });
}

function subjectOf({ output }: PushedImage, { mediaType, digest, manifestSize, platforms }: PushedImage['facts']): Subject {
  const { registry, repository, tag } = output;
  return { registry, repository, tag, mediaType, digest, size: manifestSize, platforms };
}

interface Attaching {
  readonly access: RegistryAccess;
  readonly built: BuiltImage;
  readonly subject: Subject;
  readonly context: AttemptContext;
}

/** Once to each manifest. */
async function attachOnce({ built, subject }: Attaching, type: string, attach: () => Promise<void>): Promise<void> {
  const key = `${type} ${subject.registry}/${subject.repository}@${subject.digest}`;
  if (built.attached.has(key)) return;
  await attach();
  built.attached.add(key);
}

const sbomType = 'application/spdx+json';

function attachSbom(
  { host }: RunScene,
  { contents, ...attaching }: Attaching & { readonly contents: ImageContents | undefined },
): Promise<void> {
  const { access, built, subject, context } = attaching;
  return attachOnce(attaching, sbomType, async () => {
    if (contents === undefined) throw new Error(`the contents of ${subject.digest} were not read`);
    const created = new Date();
    const document = spdxDocument({
      subject,
      contents,
      bases: built.bases,
      run: host.assignment.run.id,
      agentVersion: host.agent.version,
      created,
    });
    const attached = { subject, artifactType: sbomType, fileName: 'sbom.spdx.json', document, created };
    const digest = await attachDocument(access, attached);
    context.say(`Attached the SBOM ${digest} to ${subject.digest}`);
  });
}

const inTotoType = 'application/vnd.in-toto+json';

function attachProvenance({ host, engine, commit }: RunScene, attaching: Attaching): Promise<void> {
  const { access, built, subject, context } = attaching;
  return attachOnce(attaching, inTotoType, async () => {
    const finishedAt = new Date();
    const { assignment, agent } = host;
    const facts = { subject, built, assignment, agent, engine: engine.describe(), commit, finishedAt };
    const digest = await attachDocument(access, {
      subject,
      artifactType: inTotoType,
      fileName: 'provenance.intoto.json',
      annotations: { 'in-toto.io/predicate-type': provenanceType },
      document: provenanceStatement({ ...facts, show: (text) => host.hide(text) }),
      created: finishedAt,
    });
    context.say(`Attached the provenance ${digest} to ${subject.digest}`);
  });
}
