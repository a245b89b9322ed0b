import { arm } from '@berth/api';
import type { ChildKind, Fields } from '../resources/index.ts';
import { invalid } from '../resources/index.ts';

const actions = ['push', 'delete', 'quarantine', 'chart_push', 'chart_delete'] as const;

export interface WebhookProperties {
  readonly serviceUri: string;
  readonly customHeaders: Readonly<Record<string, string>>;
  readonly status: 'enabled' | 'disabled';
  readonly scope: string;
  readonly actions: readonly string[];
}

/** `repository`, `repository:tag`, `repository:*`, or nothing for everything (acr-api 5.1). */
const scopePattern = /^(?:[a-z0-9*]+(?:[._/-]+[a-z0-9*]+)*(?::(?:\*|[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?)?$/;
const headerNamePattern = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/;

/** Webhooks as resources (acr-api 3.3). Where a webhook sends to, and with which headers, is never shown with it. */
export const webhookKind: ChildKind<WebhookProperties> = {
  collection: 'webhooks',
  word: 'webhook',
  nameRule: { pattern: /^[A-Za-z0-9]{5,50}$/, words: '5 to 50 letters and digits' },
  isTracked: true,
  create: (properties) => ({
    serviceUri: requireAddress(properties.requiredText('serviceUri', 2048), properties),
    customHeaders: readHeaders(properties) ?? {},
    status: properties.oneOf('status', ['enabled', 'disabled']) ?? 'enabled',
    scope: readScope(properties) ?? '',
    actions: readActions(properties) ?? requireActions(properties),
  }),
  update: (before, properties) => {
    const serviceUri = properties.text('serviceUri', 2048);
    return {
      serviceUri: serviceUri === undefined ? before.serviceUri : requireAddress(serviceUri, properties),
      // Another address must not get the secrets of the one before (attack 30).
      customHeaders: readHeaders(properties) ?? (isOtherHost(before.serviceUri, serviceUri) ? {} : before.customHeaders),
      status: properties.oneOf('status', ['enabled', 'disabled']) ?? before.status,
      scope: readScope(properties) ?? before.scope,
      actions: readActions(properties) ?? before.actions,
    };
  },
  actions: [
    {
      operation: arm.getWebhookCallback,
      answer: ({ properties: { serviceUri, customHeaders } }) => ({ serviceUri, customHeaders }),
    },
  ],
  show: ({ properties: { status, scope, actions: wanted } }) => ({ status, scope, actions: wanted }),
};

function requireAddress(text: string, properties: Fields): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw invalid(properties.at('serviceUri'), 'must be an address that begins with http:// or https://');
  return text;
}

function isOtherHost(before: string, after: string | undefined): boolean {
  return after !== undefined && URL.parse(before)?.origin !== URL.parse(after)?.origin;
}

/** @throws INVALID_PARAMETER for what is no header, or would end one (attack 31) */
function readHeaders(properties: Fields): Readonly<Record<string, string>> | undefined {
  const headers = properties.textMap('customHeaders', { maxEntries: 50, maxValue: 4096 });
  for (const [name, value] of Object.entries(headers ?? {})) {
    if (!headerNamePattern.test(name))
      throw invalid(properties.at('customHeaders'), `has ${JSON.stringify(name.slice(0, 64))}, which is no name of a header`);
    // oxlint-disable-next-line no-control-regex -- those are what a header must not hold
    if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(value))
      throw invalid(properties.at('customHeaders'), `has control characters in the value of ${name}`);
  }
  return headers;
}

function readScope(properties: Fields): string | undefined {
  const scope = properties.text('scope', 512);
  if (scope !== undefined && !scopePattern.test(scope))
    throw invalid(properties.at('scope'), 'must be empty, repository, repository:tag or repository:*');
  return scope;
}

function readActions(properties: Fields): readonly string[] | undefined {
  const wanted = properties.texts('actions', 100);
  if (wanted === undefined) return undefined;
  for (const [index, action] of wanted.entries())
    if (!actions.some((known) => known === action))
      throw invalid(
        `${properties.at('actions')}[${index}]`,
        `must be one of ${actions.join(', ')}, not ${JSON.stringify(action.slice(0, 64))}`,
      );
  return wanted.length === 0 ? requireActions(properties) : [...new Set(wanted)];
}

function requireActions(properties: Fields): never {
  throw invalid(properties.at('actions'), `must name at least one of ${actions.join(', ')}`);
}
