import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database/index.ts';
import type { ManagedKeyRing } from '../platform/keys/index.ts';
import type { Accounts } from './accounts.ts';
import type { GeneratedPasswords } from './generated-passwords.ts';
import type { Jws } from './jws.ts';
import type { ManagerTokens } from './manager-tokens.ts';
import type { SignIn } from './sign-in.ts';
import type { SignedInIdentities } from './signed-in.ts';
import type { TokenSigner } from './token-signer.ts';

/** What the actions of this feature work with. */
export interface AccessContext {
  readonly database: Database;
  readonly keys: ManagedKeyRing;
  readonly clock: Clock;
  readonly signIn: SignIn;
  readonly accounts: Accounts;
  readonly signer: TokenSigner;
  readonly managerTokens: ManagerTokens;
  readonly jws: Jws;
  readonly generated: GeneratedPasswords;
  readonly tenantId: string;
  /** Signs in with the token of a trusted issuer, as one client or as all that it stands for. @throws UNAUTHORIZED */
  readonly signInFederated: (token: string, clientId: string | undefined) => Promise<SignedInIdentities>;
}
