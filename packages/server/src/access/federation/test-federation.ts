import { randomUUID } from 'node:crypto';
import type { TestContext } from 'node:test';
import { type OidcIssuer, type TestEngine, startOidcIssuer } from '@berth/testkit';
import type { Database } from '../../platform/database/index.ts';
import { createIdentity, putCredential } from '../identities/transactions.ts';
import { type Federation, createFederation } from './index.ts';
import type { FetchJson } from './issuer-keys.ts';
import { putIssuer } from './transactions.ts';

export const audience = 'registry.example';

/** A directory on a real database, and a real provider that it may trust. */
export class FederationBench {
  readonly database: Database;
  readonly provider: OidcIssuer;
  readonly clock: { time: number; now(): number };
  readonly federation: Federation;

  private constructor(database: Database, provider: OidcIssuer) {
    const clock = { time: Date.now(), now: () => clock.time };
    this.clock = clock;
    this.database = database;
    this.provider = provider;
    this.federation = createFederation({ database, clock, fetchJson, onDistrust: () => undefined });
  }

  static async setUp(engine: TestEngine, t: TestContext): Promise<FederationBench> {
    const provider = await startOidcIssuer();
    t.after(() => provider.stop());
    return new FederationBench(await engine.open(t), provider);
  }

  async trustIssuer(issuer = this.provider.issuer, jwks: object | null = null): Promise<void> {
    const row = { issuer, jwks: jwks === null ? null : JSON.stringify(jwks), created_at: this.clock.now() };
    await this.database.write(putIssuer, row);
  }

  /** Makes an identity; returns its object id and client id. */
  async addIdentity(name: string, { isEnabled = true } = {}): Promise<{ readonly id: string; readonly clientId: string }> {
    const [id, clientId] = [randomUUID(), randomUUID()];
    await this.database.write(createIdentity, {
      id,
      client_id: clientId,
      name,
      is_enabled: isEnabled ? 1 : 0,
      created_at: this.clock.now(),
    });
    return { id, clientId };
  }

  /** Lets tokens sign in as an identity; returns the credential's id. */
  async trust(
    identityId: string,
    claims: Readonly<Record<string, string>>,
    { name = 'ci', issuer = this.provider.issuer, audiences = [audience] } = {},
  ): Promise<string> {
    const id = randomUUID();
    await this.database.write(putCredential, {
      id,
      identity_id: identityId,
      name,
      issuer,
      audiences: JSON.stringify(audiences),
      claims: JSON.stringify(claims),
      created_at: this.clock.now(),
    });
    return id;
  }
}

const fetchJson: FetchJson = async (url, { maxBytes, signal }) => {
  const answer = await fetch(url, { signal, redirect: 'error' });
  const text = await answer.text();
  if (!answer.ok || text.length > maxBytes) throw new Error(`${url}: ${answer.status}`);
  return JSON.parse(text) as unknown;
};
