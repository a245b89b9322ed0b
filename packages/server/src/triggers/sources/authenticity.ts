import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { HookRequest } from './model.ts';

/** How far the clock of who signs with a time may be off, as Standard Webhooks has it. */
const toleranceMs = 5 * 60_000;

/** Equal, in a time that tells nothing of where they differ. */
export function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

/** `sha256=…` or plain hex: HMAC-SHA256 of the body by the secret. */
export function isSignedHex(body: Buffer, secret: string, signature: string | undefined): boolean {
  const expected = createHmac('sha256', secret).update(body).digest('hex');
  return isSame(expected, (signature ?? '').replace(/^sha256=/, '').toLowerCase());
}

/** Standard Webhooks: `webhook-id`, `webhook-timestamp` and the body, by the bytes that the secret names after `whsec_`. */
export function isSignedStandard({ headers, body }: HookRequest, secret: string, now: number): boolean {
  const { 'webhook-id': id = '', 'webhook-timestamp': seconds = '', 'webhook-signature': signatures = '' } = headers;
  const isOfNow = /^\d{1,12}$/.test(seconds) && Math.abs(now - Number(seconds) * 1000) <= toleranceMs;
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const expected = `v1,${createHmac('sha256', key).update(`${id}.${seconds}.`).update(body).digest('base64')}`;
  // A few, while keys are replaced.
  const isSigned = signatures.split(' ', 8).some((signature) => isSame(expected, signature));
  return isSigned && isOfNow && id !== '';
}

/** Basic, of any user name. */
export function isPassword(authorization: string | undefined, secret: string): boolean {
  const [, encoded = ''] = /^basic ([A-Za-z0-9+/=]+)$/i.exec(authorization ?? '') ?? [];
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  return isSame(text.slice(text.indexOf(':') + 1), secret);
}

/** What a body is known by, where the id that came with it is not signed. */
export function bodyDigest(body: Buffer): string {
  return createHash('sha256').update(body).digest('hex');
}
