import { RegistryError } from '../../errors/index.ts';
import { type Outbound, type OutboundAnswer, OutboundError } from '../../platform/outbound/index.ts';
import type { Secret } from '../../settings/index.ts';
import type { SecretPlace } from './secret-addresses.ts';

/** How this deployment signs in to Azure Key Vault. */
export interface KeyVaultSettings {
  /** Hosts that its token may go to, and no other (attack 28). */
  readonly keyVaults: readonly string[];
  readonly keyVaultTenant: string | undefined;
  readonly keyVaultClientId: string | undefined;
  readonly keyVaultClientSecret: Secret | undefined;
  readonly keyVaultAuthority: string;
}

export type KeyVault = (place: Extract<SecretPlace, { kind: 'vault' }>, signal: AbortSignal) => Promise<string>;

/** What vaults of Azure's clouds take tokens for. */
const resources = ['https://vault.azure.net', 'https://vault.azure.cn', 'https://vault.usgovcloudapi.net'];
const apiVersion = '7.4';
const maxAnswerBytes = 256 * 1024;
const totalMs = 60_000;

/** Reads secrets of Azure Key Vault, each time anew. @throws INVALID_PARAMETER, UPSTREAM_FAILED */
export function createKeyVault(settings: KeyVaultSettings, outbound: Outbound): KeyVault {
  return async (place, signal) => {
    const { host, name, version } = place;
    const credential = requireCredential(settings, host);
    const address = `https://${host}/secrets/${name}${version === undefined ? '' : `/${version}`}?api-version=${apiVersion}`;
    try {
      // Without a token first, as Azure's own libraries ask: the vault says what its token must be for.
      const challenge = await outbound.request({ url: address, signal, maxRedirects: 0, maxBytes: maxAnswerBytes, totalMs });
      challenge.discard();
      const resource = resourceOf(challenge, host);
      const token = await signIn(outbound, { ...credential, resource }, signal);
      const headers = { authorization: `Bearer ${token}`, accept: 'application/json' };
      const answer = await outbound.request({
        url: address,
        headers,
        signal,
        maxRedirects: 0,
        maxBytes: maxAnswerBytes,
        totalMs,
      });
      return await valueOf(answer, place);
    } catch (error) {
      if (error instanceof OutboundError) throw failed(`the vault ${host} could not be read: ${error.message}`, error);
      throw error;
    }
  };
}

interface Credential {
  readonly authority: string;
  readonly tenant: string;
  readonly clientId: string;
  readonly clientSecret: Secret;
}

function requireCredential(settings: KeyVaultSettings, host: string): Credential {
  const { keyVaultTenant, keyVaultClientId, keyVaultClientSecret, keyVaultAuthority } = settings;
  if (!settings.keyVaults.some((known) => known.toLowerCase() === host.toLowerCase()))
    throw new RegistryError('INVALID_PARAMETER', {
      message: `the vault ${host} is not one that this server may read: its operator names it in the setting keyVaults. Secrets of this registry are https://berth/secrets/NAME`,
      target: 'keyvault',
    });
  if (keyVaultTenant === undefined || keyVaultClientId === undefined || keyVaultClientSecret === undefined)
    throw new RegistryError('INVALID_PARAMETER', {
      message:
        'this server cannot sign in to vaults: its operator sets keyVaultTenant, keyVaultClientId and keyVaultClientSecret',
      target: 'keyvault',
    });
  return {
    authority: keyVaultAuthority.replace(/\/+$/, ''),
    tenant: keyVaultTenant,
    clientId: keyVaultClientId,
    clientSecret: keyVaultClientSecret,
  };
}

/** A vault that wants a token for something else gets none (attack 29). */
function resourceOf({ status, headers }: OutboundAnswer, host: string): string {
  const challenge = headers['www-authenticate'] ?? '';
  const wanted = /\b(?:resource|scope)="([^"]{1,200})"/i
    .exec(challenge)?.[1]
    ?.replace(/\/\.default$/, '')
    .replace(/\/$/, '');
  const known = resources.find((resource) => resource === wanted);
  if (status === 401 && known !== undefined) return known;
  throw failed(
    status === 401
      ? `${host} wants a token for something that is no key vault, and gets none`
      : `${host} does not answer as a key vault does (status ${status})`,
  );
}

async function signIn(
  outbound: Outbound,
  { authority, tenant, clientId, clientSecret, resource }: Credential & { readonly resource: string },
  signal: AbortSignal,
): Promise<string> {
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: clientSecret.reveal(),
    scope: `${resource}/.default`,
  });
  const answer = await outbound.request({
    url: `${authority}/${encodeURIComponent(tenant)}/oauth2/v2.0/token`,
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body: body.toString(),
    signal,
    maxRedirects: 0,
    maxBytes: maxAnswerBytes,
    totalMs,
  });
  if (answer.status !== 200) {
    answer.discard();
    throw failed(
      `${answer.url.host} did not sign this server in (status ${answer.status}): see keyVaultTenant, keyVaultClientId and keyVaultClientSecret`,
    );
  }
  const token = memberOf(await answer.json(), 'access_token');
  if (typeof token !== 'string' || token === '') throw failed(`${answer.url.host} answered without a token`);
  return token;
}

async function valueOf(answer: OutboundAnswer, { host, name }: Extract<SecretPlace, { kind: 'vault' }>): Promise<string> {
  if (answer.status === 200) {
    const value = memberOf(await answer.json(), 'value');
    if (typeof value === 'string') return value;
    throw failed(`the vault ${host} answered without the value of ${name}`);
  }
  answer.discard();
  if (answer.status === 404)
    throw new RegistryError('INVALID_PARAMETER', { message: `the vault ${host} has no secret ${name}`, target: 'keyvault' });
  if (answer.status === 401 || answer.status === 403)
    throw failed(`the vault ${host} does not let this server read ${name}: grant its identity the role Key Vault Secrets User`);
  throw failed(`the vault ${host} answered with status ${answer.status}`);
}

function memberOf(json: unknown, name: string): unknown {
  return typeof json === 'object' && json !== null && Object.hasOwn(json, name)
    ? (json as Record<string, unknown>)[name]
    : undefined;
}

function failed(message: string, cause?: unknown): RegistryError {
  return new RegistryError('UPSTREAM_FAILED', { message, cause });
}
