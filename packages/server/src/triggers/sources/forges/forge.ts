import type { Json } from '../json.ts';
import type { ForgeName, HookContent, HookRequest } from '../model.ts';

/** How a forge tells of events. */
export interface ForgeHooks {
  readonly name: ForgeName;
  /** Whether a request is one of this forge's; the first of the list that says so reads it. */
  recognises(request: HookRequest): boolean;
  /** Whether it knows the secret. In a time that tells nothing. */
  isAuthentic(request: HookRequest, secret: string, now: number): boolean;
  /** What the forge calls this delivery. Undefined: it does not number them. */
  delivery(request: HookRequest, payload: Json): string | undefined;
  /** Whether nobody who does not know the secret can send the same under another id. */
  isIdSigned(request: HookRequest): boolean;
  read(request: HookRequest, payload: Json): HookContent;
}
