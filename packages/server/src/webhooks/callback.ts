import type { KeyRing } from '../platform/keys/index.ts';
import { openBytes, sealBytes } from '../platform/sealing/index.ts';
import type { Callback, WebhookFacts } from './model.ts';

/** An address, headers and a signing secret, sealed for their registry: copied to another one, they do not open. */
interface SealedCallback {
  readonly sealed: string;
  readonly dataKeyId: string;
}

/** The properties of a webhook as they are stored. */
export interface WebhookProperties extends WebhookFacts {
  readonly callback: SealedCallback;
}

/** As they were stored before anything was delivered. */
type EarlierProperties = Pick<WebhookFacts, 'status' | 'scope' | 'actions'> &
  Pick<Callback, 'serviceUri' | 'customHeaders'> & { readonly callback?: undefined };

export type StoredProperties = WebhookProperties | EarlierProperties;

type Keys = Pick<KeyRing, 'current' | 'get'>;

/** @throws KEY_UNAVAILABLE */
export function sealCallback(keys: Keys, registryId: number, callback: Callback): SealedCallback {
  const key = keys.current(registryId);
  const text = Buffer.from(JSON.stringify(callback));
  return { sealed: sealBytes(key, purposeOf(registryId), text).toString('base64'), dataKeyId: key.id };
}

/** @throws KEY_UNAVAILABLE, SealBrokenError */
export function callbackOf(keys: Keys, registryId: number, properties: StoredProperties): Callback {
  if (properties.callback === undefined) {
    const { serviceUri, customHeaders } = properties;
    return { serviceUri, customHeaders };
  }
  const { sealed, dataKeyId } = properties.callback;
  const opened = openBytes(keys.get(registryId, dataKeyId), purposeOf(registryId), Buffer.from(sealed, 'base64'));
  return JSON.parse(opened.toString('utf8')) as Callback;
}

/** What is known of a webhook of whatever age. */
export function factsOf(name: string, properties: StoredProperties): WebhookFacts {
  if (properties.callback !== undefined) {
    const { callback: _, ...facts } = properties;
    return facts;
  }
  const { status, scope, actions } = properties;
  return { key: name.toLowerCase(), enabledAt: 0, status, scope, actions, payloadFormat: 'acr', isSigned: false };
}

/** A webhook as one region tells another of it, sealed by whoever sends it. */
export interface PortableWebhook extends WebhookFacts {
  readonly callback: Callback;
}

/** For another region, which has keys of its own. @throws KEY_UNAVAILABLE, SealBrokenError */
export function portableWebhook(
  keys: Keys,
  registryId: number,
  { name, properties }: { readonly name: string; readonly properties: StoredProperties },
): PortableWebhook {
  return { ...factsOf(name, properties), callback: callbackOf(keys, registryId, properties) };
}

/** What to store here of a webhook that another region told of. @throws KEY_UNAVAILABLE */
export function storedWebhook(keys: Keys, registryId: number, { callback, ...facts }: PortableWebhook): WebhookProperties {
  return { ...facts, callback: sealCallback(keys, registryId, callback) };
}

function purposeOf(registryId: number): string {
  return `webhook:${registryId}`;
}
