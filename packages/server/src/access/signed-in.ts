import type { TokenPasswordRow } from '../platform/database/index.ts';
import type { PasswordSlot } from './queries.ts';

/** A sign-in, by what must still be so for it to count: who it was, and the very credential that was used. */
export type SignedIn = SignedInAdmin | SignedInToken | SignedInIdentities | SignedInMachine;

/** The admin user: enabled since then, this very password in place. */
export interface SignedInAdmin {
  /** Left out in tokens: those of the first release know no other kind. */
  readonly kind?: undefined;
  readonly username: string;
  readonly generation: number;
  readonly slot: PasswordSlot;
  /** When the password was set, in milliseconds; names it for ever. */
  readonly since: number;
}

/** A repository-scoped token of the registry. */
export interface SignedInToken {
  readonly kind: 'token';
  readonly username: string;
  readonly slot: TokenPasswordRow['slot'];
  readonly since: number;
}

/** Service principals of the directory: one by its secret, or all that an issuer's token stands for. */
export interface SignedInIdentities {
  readonly kind: 'identity';
  /** For people and logs; no right depends on it. */
  readonly username: string;
  /** At least one. `credential`: id of the secret or federated credential that was used. */
  readonly identities: readonly { readonly id: string; readonly credential: string }[];
}

/** An agent, or a run while it goes on. */
export interface SignedInMachine {
  readonly kind: 'machine';
  readonly username: string;
  /** Of its key, which is never given another secret. */
  readonly id: string;
}
