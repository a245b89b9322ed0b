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
 * Reads what is in the images of a run, if an SBOM is asked for. It comes before anything is pushed: an image of which no list can
 * be made stays where it is.
 * @throws EngineError, ContentsUnreadable
 */
export async function readContents(
  scene: RunScene,
  built: readonly BuiltImage[],
  { signal, say }: AttemptContext,
): Promise<KnownContents> {
  const contents = new Map<string, ImageContents>();
  if (!scene.plan.attests.sbom) return contents;
  for (const { id, platform } of built.flatMap(({ images }) => images)) {
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

/** Attaches to a pushed image what the run asks for: to the image of each platform, and provenance to their index, too. @throws RegistryRefused */
export async function attestImage(
  scene: RunScene,
  { built, pushed, contents }: ToAttest,
  context: AttemptContext,
): Promise<void> {
  const { attests } = scene.plan;
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

async function attachSbom(
  { host }: RunScene,
  { access, built, subject, contents, context }: Attaching & { readonly contents: ImageContents | undefined },
): Promise<void> {
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
  const digest = await attachDocument(access, {
    subject,
    artifactType: 'application/spdx+json',
    fileName: 'sbom.spdx.json',
    document,
    created,
  });
  context.say(`Attached the SBOM ${digest} to ${subject.digest}`);
}

async function attachProvenance(
  { host, engine, commit }: RunScene,
  { access, built, subject, context }: Attaching,
): Promise<void> {
  const finishedAt = new Date();
  const { assignment, agent } = host;
  const document = provenanceStatement({ subject, built, assignment, agent, engine: engine.describe(), commit, finishedAt });
  const digest = await attachDocument(access, {
    subject,
    artifactType: 'application/vnd.in-toto+json',
    fileName: 'provenance.intoto.json',
    annotations: { 'in-toto.io/predicate-type': provenanceType },
    document,
    created: finishedAt,
  });
  context.say(`Attached the provenance ${digest} to ${subject.digest}`);
}
