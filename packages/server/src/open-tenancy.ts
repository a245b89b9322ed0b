import { type Access, createAccess } from './access/index.ts';
import { fetchJsonThrough } from './fetch-json.ts';
import type { Storage } from './open-storage.ts';
import type { Clock } from './platform/clock.ts';
import { type Outbound, createOutbound } from './platform/outbound/index.ts';
import { type Registries, openRegistries, parsePlanLimits } from './registries/index.ts';
import { type PeerSettings, parsePeers } from './replication/index.ts';
import type { Settings } from './settings/index.ts';

/** Which registries there are, who may use them, the one way out, and which regions there are. */
export interface Tenancy {
  readonly registries: Registries;
  readonly access: Access;
  readonly outbound: Outbound;
  /** The other regions, as the operator says. */
  readonly peerSettings: PeerSettings;
}

interface TenancyParts extends Pick<Storage, 'database' | 'keys'> {
  readonly clock: Clock;
  readonly loginServer: () => string;
}

/** What was opened is pushed to `opened`. @throws Refusal */
export async function openTenancy(settings: Settings, opened: AsyncDisposableStack, parts: TenancyParts): Promise<Tenancy> {
  const { database, keys, clock, loginServer } = parts;
  const peerSettings = await parsePeers(settings);
  const registries = await openRegistries({
    database,
    keys,
    clock,
    loginServer,
    isAnonymousPullEnabled: settings.anonymousPull,
    region: settings.region,
    defaultPlan: settings.defaultPlan,
    plans: parsePlanLimits(settings.planLimits),
  });
  const outbound = opened.adopt(createOutbound({ allow: settings.outboundAllow }), (each) => each.close());
  const access = await createAccess({
    database,
    keys,
    clock,
    tenantId: registries.ids.tenantId,
    fetchJson: fetchJsonThrough(outbound),
    regions: peerSettings.keys && { ...peerSettings, keys: peerSettings.keys },
  });
  return { registries, access, outbound, peerSettings };
}
