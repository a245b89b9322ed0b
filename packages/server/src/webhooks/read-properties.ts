import { isReservedHeader } from '../platform/outbound/index.ts';
import { type Fields, invalid } from '../resources/index.ts';
import { type Callback, type PayloadFormat, type WebhookAction, headerBounds, payloadFormats, webhookActions } from './model.ts';
import { parseScope } from './scope.ts';
import { generateSecret, secretProblem } from './signing.ts';

const headerNamePattern = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/;
const maxAddress = 2048;

/** What a client wrote of a webhook; undefined: it did not say. Each throws INVALID_PARAMETER. */

export function readAddress(properties: Fields): string | undefined {
  const text = properties.text('serviceUri', maxAddress);
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw invalid(properties.at('serviceUri'), 'must be an address that begins with http:// or https://');
  if (url.username !== '' || url.password !== '')
    throw invalid(
      properties.at('serviceUri'),
      'must not hold a user name or password: give an Authorization header in customHeaders',
    );
  return text;
}

export function requireAddress(properties: Fields): string {
  properties.requiredText('serviceUri', maxAddress);
  return readAddress(properties) ?? '';
}

/** Refuses what is no header, what would end one (attack 31), and what decides where a request ends. */
export function readHeaders(properties: Fields): Callback['customHeaders'] | undefined {
  const headers = properties.textMap('customHeaders', headerBounds);
  const path = properties.at('customHeaders');
  for (const [name, value] of Object.entries(headers ?? {})) {
    if (!headerNamePattern.test(name))
      throw invalid(path, `has ${JSON.stringify(name.slice(0, 64))}, which is no name of a header`);
    if (isReservedHeader(name)) throw invalid(path, `has ${name}, which belongs to the connection and cannot be set`);
    // oxlint-disable-next-line no-control-regex -- those are what a header must not hold
    if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(value)) throw invalid(path, `has control characters in the value of ${name}`);
    if ([...value].some((character) => character > '\u00ff'))
      throw invalid(path, `has characters in the value of ${name} that headers cannot hold`);
  }
  return headers;
}

/** Null: it shall not be signed any more. `generate`: with a new secret of ours. */
export function readSigningSecret(properties: Fields): string | null | undefined {
  if (properties.isNull('signingSecret')) return null;
  const secret = properties.text('signingSecret');
  if (secret === undefined) return undefined;
  if (secret === '') return null;
  if (secret === 'generate') return generateSecret();
  const problem = secretProblem(secret);
  if (problem !== undefined) throw invalid(properties.at('signingSecret'), problem);
  return secret;
}

export function readScope(properties: Fields): string | undefined {
  const scope = properties.text('scope', 512);
  if (scope !== undefined && parseScope(scope) === undefined)
    throw invalid(
      properties.at('scope'),
      'must be empty, repository, repository:tag or repository:*, where a repository may end in * for all that begin so',
    );
  return scope;
}

export function readStatus(properties: Fields): 'enabled' | 'disabled' | undefined {
  return properties.oneOf('status', ['enabled', 'disabled']);
}

export function readFormat(properties: Fields): PayloadFormat | undefined {
  return properties.oneOf('payloadFormat', payloadFormats);
}

export function readActions(properties: Fields): readonly WebhookAction[] | undefined {
  const wanted = properties.texts('actions', 100);
  if (wanted === undefined) return undefined;
  if (wanted.length === 0) return requireActions(properties);
  const known = wanted.map((action, index) => {
    const found = webhookActions.find((each) => each === action);
    if (found !== undefined) return found;
    throw invalid(
      `${properties.at('actions')}[${index}]`,
      `must be one of ${webhookActions.join(', ')}, not ${JSON.stringify(action.slice(0, 64))}`,
    );
  });
  return [...new Set(known)];
}

export function requireActions(properties: Fields): never {
  throw invalid(properties.at('actions'), `must name at least one of ${webhookActions.join(', ')}`);
}
