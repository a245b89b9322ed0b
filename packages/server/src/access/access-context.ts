import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database/index.ts';
import type { ManagedKeyRing } from '../platform/keys/index.ts';
import type { GeneratedPasswords } from './generated-passwords.ts';
import type { SignIn } from './sign-in.ts';
import type { TokenSigner } from './token-signer.ts';

/** What the actions of this feature work with. */
export interface AccessContext {
  readonly database: Database;
  readonly keys: ManagedKeyRing;
  readonly clock: Clock;
  readonly signIn: SignIn;
  readonly signer: TokenSigner;
  readonly generated: GeneratedPasswords;
}
