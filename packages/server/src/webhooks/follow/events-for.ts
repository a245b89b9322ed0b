import type { LogEntry } from '../../changes/index.ts';
import type { Registry } from '../../tenancy/index.ts';
import { eventIdOf, payloadOf } from '../payloads.ts';
import { covers } from '../scope.ts';
import type { ScopedHappening } from './happenings.ts';
import type { KnownWebhook } from './known-webhooks.ts';

/** An event of one webhook, ready to be kept. */
export interface NewEvent {
  readonly webhook: string;
  readonly event_id: string;
  readonly action: string;
  readonly repository: string;
  readonly tag: string | null;
  readonly digest: string | null;
  readonly payload: string;
}

/** What each webhook is told of what an entry of the log means. The same entry gives the same events with the same ids. */
export function eventsFor(
  registry: Registry,
  {
    entry,
    happenings,
    webhooks,
  }: {
    readonly entry: LogEntry;
    readonly happenings: readonly ScopedHappening[];
    readonly webhooks: readonly KnownWebhook[];
  },
): readonly NewEvent[] {
  return happenings.flatMap((happening) =>
    webhooks
      .filter((webhook) => wants(webhook, happening) && isForIt(webhook, registry, entry))
      .map((webhook) => eventOf(webhook, { registry, entry, happening })),
  );
}

function wants({ actions, parsedScope }: KnownWebhook, { action, repository, scopeTags }: ScopedHappening): boolean {
  return actions.includes(action) && covers(parsedScope, repository, scopeTags);
}

/** In the home region clocks agree: there a new webhook is told nothing of what was before it. */
function isForIt({ enabledAt }: KnownWebhook, { homeRegion }: Registry, { at }: LogEntry): boolean {
  return homeRegion !== undefined || at >= enabledAt;
}

function eventOf(
  { key }: KnownWebhook,
  { registry, entry, happening }: { readonly registry: Registry; readonly entry: LogEntry; readonly happening: ScopedHappening },
): NewEvent {
  const { action, repository, tag, digest, clock } = happening;
  const id = eventIdOf(key, entry.sequence, clock, action, tag ?? '');
  return {
    webhook: key,
    event_id: id,
    action,
    repository,
    tag: tag ?? null,
    digest: digest ?? null,
    payload: JSON.stringify(payloadOf(happening, { id, loginServer: registry.loginServer })),
  };
}
