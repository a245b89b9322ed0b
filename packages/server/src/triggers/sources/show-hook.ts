import type { Registry } from '../../tenancy/index.ts';
import { placeOf } from './fire.ts';
import { openSecret } from './hook-secret.ts';
import { findSource } from './queries.ts';
import { ensureWatch } from './ensure-watch.ts';
import { type SourcesContext, findWatch } from './sources-context.ts';

export interface HookToEnter {
  readonly url: string;
  readonly secret: string;
  /** The server has entered it at the forge by itself. */
  readonly isInstalled: boolean;
  readonly problem: string | null;
}

export interface HookPlace {
  readonly task: string;
  readonly name: string;
  /** As whoever asks sees this server, for when nobody has said how the world does. */
  readonly origin: string;
}

/** Undefined: there is no such trigger. */
export async function showHook(context: SourcesContext, registry: Registry, place: HookPlace): Promise<HookToEnter | undefined> {
  const watch = await findWatch(context, registry, place);
  if (watch === undefined) return undefined;
  await ensureWatch(context, watch);
  const source = await findSource(context.database.read, placeOf(watch));
  if (source === undefined) return undefined;
  return {
    url: hookUrl(context.publicOrigin(registry) ?? place.origin, place),
    secret: openSecret(context.keys, source, source.state.secret),
    isInstalled: source.state.hook !== undefined,
    problem: source.problem,
  };
}

/** Where a forge sends to. */
export function hookUrl(origin: string, { task, name }: { readonly task: string; readonly name: string }): string {
  return `${origin}/berth/v1/hooks/${encodeURIComponent(task)}/${encodeURIComponent(name)}`;
}
