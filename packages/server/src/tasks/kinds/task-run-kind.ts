import { arm } from '@berth/api';
import type { RunStatus } from '@berth/api';
import { type ChildKind, type Fields, type KindScene, invalid } from '../../resources/index.ts';
import type { RunFacts } from '../../runs/index.ts';
import { type ResourceIdentity, readIdentity } from '../identity.ts';
import type { SealedText } from '../model.ts';
import { runDocument } from '../run-document.ts';
import { runOfRequest } from '../run-of-request.ts';
import { openText, sealText } from '../seal-secrets.ts';
import type { TasksContext } from '../tasks-context.ts';
import { detailsDocument } from './details-document.ts';
import { withoutSecrets } from './without-secrets.ts';

interface TaskRunProperties {
  /** All of it, as it was sent: it may hold secrets. */
  readonly runRequest: SealedText;
  /** The same without them. */
  readonly shownRequest: Readonly<Record<string, unknown>>;
  readonly forceUpdateTag: string | null;
  readonly runId: string;
  readonly identity?: ResourceIdentity;
}

const collection = 'taskRuns';
/** How ARM calls what becomes of a run: a deployment waits until it is one of these (acr-tasks 6.3). */
const states: Partial<Readonly<Record<RunStatus, string>>> = {
  Succeeded: 'Succeeded',
  Failed: 'Failed',
  Error: 'Failed',
  Timeout: 'Failed',
  Canceled: 'Canceled',
};

/** A run as a resource: it runs when its request, or its tag, is another than before. */
export function taskRunKind(context: TasksContext): ChildKind<TaskRunProperties> {
  const write = taskRunWriter(context);
  return {
    collection,
    word: 'task run',
    nameRule: { pattern: /^[A-Za-z0-9_-]{5,50}$/, words: '5 to 50 letters, digits, "-" and "_"' },
    isTracked: false,
    atMost: 1000,
    create: (properties, scene) => write(undefined, properties, scene),
    update: (before, properties, scene) => write(before, properties, scene),
    show: (child, { registry }) => shownRun(context, child.properties, registry, child.properties.shownRequest),
    showBeside: ({ properties: { identity } }) => ({ identity: identity ?? null }),
    actions: [
      {
        operation: arm.runs.listTaskRunDetails,
        answer: async (child, { registry }) => {
          const properties = child.properties;
          const request = JSON.parse(openText(context.keys, registry.id, properties.runRequest)) as Readonly<
            Record<string, unknown>
          >;
          return detailsDocument(collection, registry, child, {
            identity: properties.identity ?? null,
            properties: await shownRun(context, properties, registry, request),
          });
        },
      },
    ],
  };
}

type Write = (before: TaskRunProperties | undefined, properties: Fields, scene: KindScene) => Promise<TaskRunProperties>;

function taskRunWriter(context: TasksContext): Write {
  const { keys, runs } = context;
  /** One document queues one run, however often its writing is tried again. */
  const queued = new WeakMap<Fields, RunFacts>();
  return async (before, properties, scene) => {
    const { registry } = scene;
    const known = before ?? ((await scene.find(collection, scene.name))?.properties as TaskRunProperties | undefined);
    const sent = properties.has('runRequest') && !properties.isNull('runRequest') ? properties.object('runRequest') : undefined;
    const kept = known && openText(keys, registry.id, known.runRequest);
    // A change that does not name the request means the one before; what replaces the whole names its own.
    const text = sent?.json() ?? (before === undefined ? undefined : kept);
    if (text === undefined) throw invalid(properties.at('runRequest'), 'is missing');
    const forceUpdateTag = properties.text('forceUpdateTag') ?? (before === undefined ? null : before.forceUpdateTag);
    const identity = readIdentity(scene, before?.identity);
    const beside = { forceUpdateTag, ...(identity !== undefined && { identity }) };
    if (known !== undefined && text === kept && forceUpdateTag === known.forceUpdateTag) return { ...known, ...beside };
    const body = sent ?? properties.parsed(text, 'runRequest');
    requireRemoteSource(body);
    const facts = queued.get(scene.document ?? properties) ?? (await queue(body, scene));
    queued.set(scene.document ?? properties, facts);
    return {
      runRequest: sealText(keys, registry.id, text),
      shownRequest: withoutSecrets(JSON.parse(text)),
      runId: facts.id,
      ...beside,
    };
  };
  async function queue(body: Fields, { registry, requestedBy = '' }: KindScene): Promise<RunFacts> {
    const { run } = await runOfRequest(context, { registry, body, requestedBy });
    return runs.queue(run);
  }
}

/** What somebody uploaded is there for one run, and this may be several. */
function requireRemoteSource(body: Fields): void {
  if (body.text('sourceLocation', 4096)?.startsWith('source/') === true)
    throw invalid(body.at('sourceLocation'), 'must be an address that can be read again: an upload is gone after one run');
}

async function shownRun(
  { runs }: TasksContext,
  { runId, forceUpdateTag }: TaskRunProperties,
  registry: KindScene['registry'],
  runRequest: Readonly<Record<string, unknown>>,
): Promise<Readonly<Record<string, unknown>>> {
  const facts = await runs.find(registry.id, runId);
  return {
    // Runs are forgotten after their time: then it is known that it ended, and no more.
    provisioningState: facts === undefined ? 'Succeeded' : (states[facts.status] ?? 'Creating'),
    runRequest,
    forceUpdateTag,
    runResult: facts === undefined ? null : runDocument(registry, facts, await runs.document(facts)),
  };
}
