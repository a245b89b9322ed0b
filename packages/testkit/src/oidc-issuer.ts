import { type webcrypto, generateKeyPairSync, randomBytes } from 'node:crypto';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SignedToken } from 'oidc-provider';

/** A certified OpenID provider on this machine, in the place of a CI system or a cluster. */
export interface OidcIssuer {
  readonly issuer: string;
  /** Requests that it has answered, by path. */
  readonly requests: readonly string[];
  /** Signs a job in, as its system does: the provider signs what the job is. */
  issue(job: OidcJob): Promise<string>;
  stop(): Promise<void>;
}

export interface OidcJob {
  readonly audience: string;
  readonly subject: string;
  readonly claims?: Readonly<Record<string, unknown>>;
}

type Algorithm = 'RS256' | 'ES256' | 'PS256';

/** Listens on a port that the system chooses; signs with a key of its own. */
export async function startOidcIssuer({ algorithm = 'RS256' }: { readonly algorithm?: Algorithm } = {}): Promise<OidcIssuer> {
  const requests: string[] = [];
  // Loaded late: few tests need an issuer.
  const { Provider } = await import('oidc-provider');
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const secret = randomBytes(32).toString('base64url');
  const jobs = new Map<string, OidcJob>();
  const answer = new Provider(issuer, configurationOf({ algorithm, secret, jobs })).callback();
  server.on('request', (request, response) => {
    requests.push(request.url ?? '');
    answer(request, response);
  });
  return {
    issuer,
    requests,
    issue: async (job) => {
      const scope = `job:${randomBytes(8).toString('hex')}`;
      jobs.set(scope, job);
      const form = { grant_type: 'client_credentials', resource: 'urn:registry', scope };
      const authorization = `Basic ${Buffer.from(`runner:${secret}`).toString('base64')}`;
      const reply = await fetch(`${issuer}/token`, {
        method: 'POST',
        headers: { authorization },
        body: new URLSearchParams(form),
      });
      const { access_token: token, ...rest } = (await reply.json()) as { access_token?: string };
      if (token === undefined) throw new Error(`the provider issued nothing: ${JSON.stringify(rest)}`);
      return token;
    },
    stop: () => close(server),
  };
}

function configurationOf({
  algorithm,
  secret,
  jobs,
}: {
  readonly algorithm: Algorithm;
  readonly secret: string;
  readonly jobs: ReadonlyMap<string, OidcJob>;
}): object {
  const jobOf = (scope: unknown): OidcJob | undefined => jobs.get(String(scope));
  return {
    clients: [
      { client_id: 'runner', client_secret: secret, grant_types: ['client_credentials'], redirect_uris: [], response_types: [] },
    ],
    clientDefaults: { id_token_signed_response_alg: algorithm },
    ttl: { ClientCredentials: 300 },
    cookies: { keys: [secret] },
    jwks: { keys: [newKey(algorithm)] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (context: { readonly oidc: { readonly params: { readonly scope: string } } }) => {
          const { scope } = context.oidc.params;
          const audience = jobOf(scope)?.audience ?? '';
          return { scope, audience, accessTokenFormat: 'jwt', accessTokenTTL: 300, jwt: { sign: { alg: algorithm } } };
        },
      },
    },
    formats: {
      customizers: {
        jwt: (_context: unknown, _token: unknown, { payload }: SignedToken) => {
          const job = jobOf(payload['scope']);
          Object.assign(payload, { sub: job?.subject }, job?.claims);
        },
      },
    },
  };
}

function newKey(algorithm: Algorithm): webcrypto.JsonWebKey {
  const { privateKey } =
    algorithm === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), alg: algorithm, use: 'sig' };
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
