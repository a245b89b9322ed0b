import type { Assignment, BaseImageUse } from '@berth/api';
import type { EngineFacts } from '../../engine/index.ts';
import type { BuiltImage } from '../run-images.ts';
import type { RunHost } from '../run-host.ts';
import { imageUrl } from './package-url.ts';
import { shownAddress } from './shown-address.ts';
import { type Subject, basesFor, digestSet } from './subject.ts';

export const provenanceType = 'https://slsa.dev/provenance/v1';

export interface ProvenanceFacts {
  readonly subject: Subject;
  readonly built: Pick<
    BuiltImage,
    'step' | 'bases' | 'startedAt' | 'dockerfile' | 'arguments' | 'secrets' | 'target' | 'noCache'
  >;
  readonly assignment: Assignment;
  readonly agent: RunHost['agent'];
  readonly engine: Pick<EngineFacts, 'name' | 'version'>;
  readonly commit: string;
  readonly finishedAt: Date;
  /** Hides the secrets of the run: whoever can read an image can read its documents. */
  readonly show: Show;
}

type Show = (text: string) => string;

/** Where an image comes from: an in-toto statement with SLSA's provenance, as JSON. No secret of the run is in it. */
export function provenanceStatement(facts: ProvenanceFacts): object {
  const { subject, built, assignment, agent, engine } = facts;
  const { run, timeoutSeconds } = assignment;
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: `${subject.registry}/${subject.repository}`, digest: digestSet(subject.digest) }],
    predicateType: provenanceType,
    predicate: {
      buildDefinition: {
        buildType: 'tag:berth,2026:build/v1',
        externalParameters: externalParameters(facts),
        internalParameters: {
          engine: { name: engine.name, version: engine.version },
          timeoutSeconds,
          ...(run.taskName !== '' && { task: run.taskName }),
          ...(run.triggeredBy !== '' && { triggeredBy: run.triggeredBy }),
        },
        resolvedDependencies: [...sourceDependencies(facts), ...basesFor(subject.platforms, built.bases).map(baseDependency)],
      },
      runDetails: {
        builder: { id: `tag:berth,2026:agent/${encodeURIComponent(agent.name)}`, version: { '@berth/agent': agent.version } },
        metadata: {
          // Ids of runs count per registry.
          invocationId: `${run.registry}/${run.id}`,
          startedOn: secondsOf(built.startedAt),
          finishedOn: secondsOf(facts.finishedAt),
        },
      },
    },
  };
}

function externalParameters({ subject, built, assignment, show }: ProvenanceFacts): object {
  const { source, work, platform } = assignment;
  const given = [...built.arguments].map(([name, value]) => [name, show(value)] as const);
  return {
    source: shownSource(source, show),
    // Of a task file: which step of which file built the image. One that came with the run has no name.
    ...(work.kind !== 'build' && { ...(work.kind === 'file' && { taskFile: work.path }), step: built.step }),
    dockerfile: show(built.dockerfile),
    ...(built.target !== undefined && { target: show(built.target) }),
    buildArguments: Object.fromEntries(given),
    // What they are called stands in the Dockerfile; what they are stands nowhere.
    secrets: built.secrets.map(show),
    noCache: built.noCache,
    platforms: subject.platforms.length > 0 ? subject.platforms : [`${platform.os.toLowerCase()}/${platform.architecture ?? ''}`],
  };
}

function shownSource(source: Assignment['source'], show: Show): object {
  if (source === null) return { kind: 'none' };
  if (source.kind === 'archive') return { kind: source.kind, url: show(shownAddress(source.url)) };
  if (source.kind === 'oci') return { kind: source.kind, reference: show(source.reference) };
  if (source.kind === 'upload') return { kind: source.kind };
  const { kind, url, ref, folder } = source;
  return { kind, url: show(shownAddress(url)), ...(ref !== undefined && { ref }), ...(folder !== undefined && { folder }) };
}

function sourceDependencies({ assignment: { source }, commit, show }: ProvenanceFacts): readonly object[] {
  if (source?.kind === 'archive') return [{ uri: show(shownAddress(source.url)) }];
  if (source?.kind === 'oci') return [{ uri: `oci://${show(source.reference)}` }];
  if (source?.kind !== 'git') return [];
  const ref = source.ref === undefined ? '' : `@${source.ref}`;
  return [{ uri: `git+${show(shownAddress(source.url))}${ref}`, ...(commit !== '' && { digest: { gitCommit: commit } }) }];
}

function baseDependency(base: BaseImageUse): object {
  return { uri: imageUrl(base), digest: digestSet(base.digest), annotations: { role: base.role } };
}

function secondsOf(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}
