import { createHash } from 'node:crypto';
import type { RegistrySettings } from '@berth/api';
import type { KeyRing } from '../../platform/keys/index.ts';
import { sealBytes } from '../../platform/sealing/index.ts';
import type { Registry } from '../../tenancy/index.ts';
import { storedProperties } from '../../webhooks/index.ts';
import type { ApplySettings } from './apply-settings.ts';
import { adminPasswordSeal, flowingKinds } from './export-settings.ts';
import { sealHomeKeys } from './home-keys.ts';

/** What a replica writes when it takes over the settings of its home region: sealed with its own keys, with its own ids. */
export function toBeApplied(
  settings: RegistrySettings,
  {
    registry,
    home,
    version,
    keys,
    now,
  }: {
    readonly registry: Pick<Registry, 'id' | 'resourceId'>;
    readonly home: string;
    readonly version: string;
    readonly keys: KeyRing;
    readonly now: number;
  },
): ApplySettings {
  const { id: registryId, resourceId } = registry;
  const isFlowing = ({ kind }: { readonly kind: string }): boolean => flowingKinds.some((known) => known === kind);
  const scope = resourceId.toLowerCase();
  return {
    registryId,
    home,
    version,
    now,
    registry: settings.registry,
    // A token names its scope map by an id of the resource manager, which has another subscription here.
    resources: settings.resources.filter(isFlowing).map((resource) => ({
      ...resource,
      properties:
        resource.kind === 'webhooks'
          ? storedProperties(keys, registryId, resource.properties)
          : rebase(resource.properties, settings.resourceId, resourceId),
    })),
    admin: settings.admin && {
      ...settings.admin,
      passwords: settings.admin.passwords.map(({ value, ...password }) => ({
        ...password,
        ...(value === null ? { sealed: null, dataKeyId: null } : sealPassword(keys, registryId, { slot: password.slot, value })),
      })),
    },
    cleanupRules: settings.cleanupRules,
    purgeSchedules: settings.purgeSchedules,
    scope,
    identities: settings.identities.map((identity) => ({
      ...identity,
      // Never the name of an identity of this region: no right depends on it, and people tell them apart.
      name: `${identity.name}@${home}`,
      roles: identity.roles.map((role) => ({ ...role, id: idHere(scope, role.id), scope: `${scope}${role.path}` })),
    })),
    issuers: settings.issuers,
    homeKeys: sealHomeKeys(keys, registryId, {
      home: { registryId: settings.registryId, verifierKeys: settings.verifierKeys },
      regions: settings.regions.map((region) => ({
        ...region,
        tokenKeys: region.tokenKeys as readonly Readonly<Record<string, unknown>>[],
      })),
    }),
  };
}

function sealPassword(
  keys: KeyRing,
  registryId: number,
  { slot, value }: { readonly slot: string; readonly value: string },
): { readonly sealed: Uint8Array; readonly dataKeyId: string } {
  const key = keys.current(registryId);
  return { sealed: sealBytes(key, adminPasswordSeal(registryId, slot), Buffer.from(value)), dataKeyId: key.id };
}

/** Ids below the registry of the home region, as they are here. Both are JSON text that holds no quotes of its own. */
function rebase(json: string, from: string, to: string): string {
  const there = from.toLowerCase();
  const text = json.toLowerCase();
  let based = '';
  let at = 0;
  // Compared in lower case, as ids are (acr-api 3); letters outside ASCII could change their length by it, and ids have none.
  if (text.length !== json.length) return json;
  for (let found = text.indexOf(`${there}/`); found !== -1; found = text.indexOf(`${there}/`, at)) {
    based += json.slice(at, found) + to;
    at = found + there.length;
  }
  return based + json.slice(at);
}

/** One role of the home region may reach several of its registries: each has an id of its own here (RFC 9562, version 8). */
function idHere(scope: string, id: string): string {
  const bytes = createHash('sha256').update(`${scope}\n${id}`).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
