import { randomUUID } from 'node:crypto';
import { RegistryError } from '../../errors/index.ts';
import type { Registry } from '../../tenancy/index.ts';
import { bodyDigest } from './authenticity.ts';
import { type Outcome, decisionPlaceOf, handleEvent } from './fire.ts';
import { forgeOf } from './forges/index.ts';
import type { ForgeHooks } from './forges/forge.ts';
import { newSecret, openSecret } from './hook-secret.ts';
import { Json } from './json.ts';
import type { HookContent, HookRequest } from './model.ts';
import { findSource, wasDelivered } from './queries.ts';
import { isSameRepository } from './repository-address.ts';
import { type SourcesContext, type Watch, findWatch } from './sources-context.ts';
import { takeDeliveries } from './transactions.ts';

/** So long a delivery is remembered; what is older is refused where its time is signed. */
const rememberMs = 7 * 24 * 3_600_000;

/** For addresses that nobody has: they cost as much and are refused as those that somebody has (attack 36). */
const nobodysSecret = newSecret();

export interface ReceivedHook extends HookRequest {
  readonly task: string;
  readonly trigger: string;
}

/** Takes what a forge tells. @throws UNAUTHORIZED: forged, replayed, or for nobody; REQUEST_INVALID */
export async function receiveHook(context: SourcesContext, registry: Registry, hook: ReceivedHook): Promise<Outcome> {
  const { database, clock } = context;
  const place = { registryId: registry.id, task: hook.task, name: hook.trigger };
  const [watch, source] = await Promise.all([findWatch(context, registry, place), findSource(database.read, place)]);
  const secret = source === undefined ? nobodysSecret : openSecret(context.keys, place, source.state.secret);
  const forge = forgeOf(hook);
  const isAuthentic = forge.isAuthentic(hook, secret, clock.now());
  if (!isAuthentic || watch === undefined || source === undefined) throw refused();
  const payload = payloadOf(hook);
  if (payload === undefined)
    throw new RegistryError('REQUEST_INVALID', { message: 'the hook is not JSON: choose application/json at the forge' });
  const deliveries = deliveriesOf(forge, hook, payload);
  const content = forge.read(hook, payload);
  const isStale = content.sentAt !== undefined && content.sentAt < clock.now() - rememberMs;
  if (isStale || (await wasDelivered(database.read, place, deliveries))) throw refused();
  await requireRepository(context, watch, content);
  const outcomes = await handleAll(context, watch, { forge, content, id: deliveries[0] ?? randomUUID() });
  const now = clock.now();
  // At last: what broke off half way may come again, and what was run is known by its commit.
  await database.write(takeDeliveries, { ...place, deliveries, forge: forge.name, now, forgetBefore: now - rememberMs });
  return sumOf(outcomes, content);
}

interface Received {
  readonly forge: ForgeHooks;
  readonly content: HookContent;
  readonly id: string;
}

async function handleAll(context: SourcesContext, watch: Watch, { forge, content, id }: Received): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const { defaultBranch } = content;
  // One after the other: several branches of one push are rare.
  for (const event of content.events.slice(0, 50))
    outcomes.push(await handleEvent(context, watch, { event, forge: forge.name, defaultBranch, id, how: 'hook' }));
  return outcomes;
}

function sumOf(
  outcomes: readonly Outcome[],
  { reason = 'there is nothing in it that concerns this trigger' }: HookContent,
): Outcome {
  const [first] = outcomes;
  const fired = outcomes.find(({ isFired }) => isFired);
  return fired ?? first ?? { isFired: false, reason, run: null };
}

/** Signed by who knows the secret, so that it may be told what is wrong. @throws REQUEST_INVALID */
async function requireRepository(context: SourcesContext, watch: Watch, { repositoryUrls }: HookContent): Promise<void> {
  const { repositoryUrl } = watch.trigger.sourceRepository;
  if (repositoryUrls.some((url) => isSameRepository(repositoryUrl, url))) return;
  const [other = 'no repository'] = repositoryUrls;
  const reason = `the hook is of ${other.slice(0, 300)}, but the trigger watches another repository`;
  await context.record({
    ...decisionPlaceOf(watch),
    kind: 'source',
    isFired: false,
    reason,
    run: null,
    details: { how: 'hook' },
  });
  throw new RegistryError('REQUEST_INVALID', { message: `${reason}: enter the address of this hook at its own repository` });
}

/** GitHub and Gitea also send forms with the JSON in them, if told so. */
function payloadOf({ headers, body }: HookRequest): Json | undefined {
  const text = body.toString('utf8');
  const isForm = headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
  return Json.parse(isForm ? (new URLSearchParams(text).get('payload') ?? '') : text);
}

/** By what a replay is known. Where only the body is signed, anybody could put another id before it. */
function deliveriesOf(forge: ForgeHooks, request: HookRequest, payload: Json): readonly string[] {
  const id = forge.delivery(request, payload)?.slice(0, 200);
  const body = `body:${bodyDigest(request.body)}`;
  if (id === undefined) return [body];
  return forge.isIdSigned(request) ? [id] : [id, body];
}

function refused(): RegistryError {
  return new RegistryError('UNAUTHORIZED', {
    message:
      'the hook is not taken: its address, its secret or its signature is wrong, or it was taken before (berth task hook shows what to enter)',
  });
}
