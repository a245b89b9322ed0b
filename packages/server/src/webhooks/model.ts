/** What a webhook may be told of (acr-api 5.1); the last one is ours. */
export const webhookActions = ['push', 'delete', 'quarantine', 'chart_push', 'chart_delete', 'untag'] as const;

export type WebhookAction = (typeof webhookActions)[number];

/** `acr`: the body that ACR sends. The others wrap it as Azure Event Grid and CloudEvents 1.0 do (acr-api 5.3). */
export const payloadFormats = ['acr', 'eventGrid', 'cloudEvents'] as const;

export type PayloadFormat = (typeof payloadFormats)[number];

/** As the properties of a webhook are kept, but for `Callback`. */
export interface WebhookFacts {
  /** Which webhook it is: one of the same name that was deleted had another. */
  readonly key: string;
  /** When it was last made or enabled (ms, by the clock of the home region): what happened before is not for it. */
  readonly enabledAt: number;
  readonly status: 'enabled' | 'disabled';
  readonly scope: string;
  readonly actions: readonly WebhookAction[];
  readonly payloadFormat: PayloadFormat;
  readonly isSigned: boolean;
}

/** Whom a webhook tells, and with which secrets. */
export interface Callback {
  readonly serviceUri: string;
  readonly customHeaders: Readonly<Record<string, string>>;
  /** `whsec_` and base64; undefined: what is sent is not signed. */
  readonly signingSecret?: string | undefined;
}

/** Longer names and values, and more of them, are refused. */
export const headerBounds = { maxEntries: 50, maxValue: 4096 } as const;

export const webhookCollection = 'webhooks';

/** Whether a webhook at a location is sent by this region: Azure writes locations as `West Europe` and as `westeurope`. */
export function isAt(location: string | null, region: string, homeRegion: string | undefined): boolean {
  const wanted = location === null || location === '' ? (homeRegion ?? region) : location;
  return plainRegion(wanted) === plainRegion(region);
}

function plainRegion(text: string): string {
  return text.toLowerCase().replaceAll(/\s/g, '');
}
