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

/** A webhook as one region tells another of it: for the document that regions seal for one another. */
interface PortableWebhook extends WebhookFacts {
  readonly callback: Callback;
}

/** The properties of a row, for another region, which has keys of its own; JSON. @throws KEY_UNAVAILABLE, SealBrokenError */
export function portableProperties(
  keys: Keys,
  registryId: number,
  row: { readonly name: string; readonly properties: string },
): string {
  // The text is ours.
  const properties = JSON.parse(row.properties) as StoredProperties;
  const portable: PortableWebhook = { ...factsOf(row.name, properties), callback: callbackOf(keys, registryId, properties) };
  return JSON.stringify(portable);
}

/** What to store here of what `portableProperties` made in the home region. @throws KEY_UNAVAILABLE */
export function storedProperties(keys: Keys, registryId: number, portable: string): string {
  // Regions believe what their home region says of their settings.
  const { callback, ...facts } = JSON.parse(portable) as PortableWebhook;
  return JSON.stringify({ ...facts, callback: sealCallback(keys, registryId, callback) } satisfies WebhookProperties);
}

function purposeOf(registryId: number): string {
  return `webhook:${registryId}`;
}
