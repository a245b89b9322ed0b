import { createHmac, randomBytes } from 'node:crypto';

/** Signatures as Standard Webhooks 1.0 describes them (standardwebhooks.com). */

const prefix = 'whsec_';
const generatedBytes = 32;

/** A new secret, with which receivers check what they are sent. */
export function generateSecret(): string {
  return prefix + randomBytes(generatedBytes).toString('base64');
}

/** What is wrong with a secret that somebody chose, to stand after its name; undefined: nothing. */
export function secretProblem(secret: string): string | undefined {
  const text = secret.slice(prefix.length);
  const key = Buffer.from(text, 'base64');
  const isBase64 = /^[A-Za-z0-9+/]+={0,2}$/.test(text) && key.toString('base64').replaceAll('=', '') === text.replaceAll('=', '');
  if (!secret.startsWith(prefix) || !isBase64) return `must be ${prefix} with base64 behind it`;
  return key.length < 24 || key.length > 64 ? 'must hold 24 to 64 bytes' : undefined;
}

export interface ToSign {
  readonly id: string;
  /** Milliseconds. */
  readonly now: number;
  readonly body: string;
}

/** The headers by which a receiver knows who sends, that nothing was changed, and when. */
export function signatureHeaders(secret: string, { id, now, body }: ToSign): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(now / 1000));
  const key = Buffer.from(secret.slice(prefix.length), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}
