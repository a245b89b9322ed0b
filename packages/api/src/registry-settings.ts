import type { Static } from 'typebox';
import { Type } from './schema.ts';

/** Settings of a registry as they travel from its home region to the others: JSON, sealed. Times are milliseconds since the epoch. */

const time = Type.Integer();
const timeOrNull = Type.Union([Type.Integer(), Type.Null()]);
const textOrNull = Type.Union([Type.String(), Type.Null()]);

const verifierKey = Type.Object({
  id: Type.String(),
  /** Base64; derived from a signing key, which stays at home. */
  key: Type.String(),
});

const heldBy = Type.Object({
  name: Type.String(),
  /** As clients call the registry there: audience of its tokens. */
  loginServer: Type.String(),
  /** JWK with `kid`. */
  tokenKeys: Type.Array(Type.Object({})),
});

const registry = Type.Object({
  resourceGroup: Type.String(),
  location: Type.String(),
  plan: Type.Union([Type.Literal('Basic'), Type.Literal('Standard'), Type.Literal('Premium')]),
  isAnonymousPullEnabled: Type.Boolean(),
  /** JSON texts, as they are kept. */
  tags: Type.String(),
  properties: Type.String(),
  createdAt: time,
  createdBy: Type.String(),
  updatedAt: time,
  updatedBy: Type.String(),
});

const resource = Type.Object({
  kind: Type.String(),
  name: Type.String(),
  location: textOrNull,
  tags: Type.String(),
  properties: Type.String(),
  createdAt: time,
  createdBy: Type.String(),
  updatedAt: time,
  updatedBy: Type.String(),
  version: Type.Integer(),
  /** Of tokens. */
  passwords: Type.Array(
    Type.Object({
      slot: Type.Union([Type.Literal('password1'), Type.Literal('password2')]),
      verifier: Type.String(),
      createdAt: time,
      expiresAt: timeOrNull,
    }),
  ),
});

const admin = Type.Object({
  username: Type.String(),
  isEnabled: Type.Boolean(),
  generation: Type.Integer(),
  passwords: Type.Array(
    Type.Object({
      slot: Type.Union([Type.Literal('password'), Type.Literal('password2')]),
      scheme: Type.Union([Type.Literal('keyed-sha256'), Type.Literal('argon2id')]),
      verifier: Type.String(),
      createdAt: time,
      /** For whoever may see it; null: it was made before passwords could be shown, or its key is missing. */
      value: textOrNull,
    }),
  ),
});

const identity = Type.Object({
  id: Type.String(),
  clientId: Type.String(),
  name: Type.String(),
  isEnabled: Type.Boolean(),
  createdAt: time,
  secrets: Type.Array(Type.Object({ id: Type.String(), verifier: Type.String(), createdAt: time, expiresAt: timeOrNull })),
  credentials: Type.Array(
    Type.Object({
      id: Type.String(),
      name: Type.String(),
      issuer: Type.String(),
      audiences: Type.String(),
      claims: Type.String(),
      createdAt: time,
    }),
  ),
  roles: Type.Array(
    Type.Object({
      id: Type.String(),
      /** Below the registry: empty for it as a whole, or `/repositories/<name>`. */
      path: Type.String(),
      roleId: Type.String(),
      condition: textOrNull,
      createdAt: time,
    }),
  ),
});

export const registrySettingsSchema = Type.Object({
  /** The id of the registry in the resource manager of its home region. */
  resourceId: Type.String(),
  /** Verifiers of its passwords are made with it. */
  registryId: Type.Integer(),
  registry,
  resources: Type.Array(resource),
  admin: Type.Union([admin, Type.Null()]),
  cleanupRules: Type.Array(
    Type.Object({ name: Type.String(), definition: Type.String(), isEnabled: Type.Boolean(), updatedAt: time }),
  ),
  /** Kept so that they can be read; they run in the home region. */
  purgeSchedules: Type.Array(
    Type.Object({ name: Type.String(), schedule: Type.String(), request: Type.String(), updatedAt: time }),
  ),
  identities: Type.Array(identity),
  issuers: Type.Array(Type.Object({ issuer: Type.String(), jwks: textOrNull, createdAt: time })),
  verifierKeys: Type.Array(verifierKey),
  /** Every region that holds the registry, as far as the home region knows them. */
  regions: Type.Array(heldBy),
});

export type RegistrySettings = Static<typeof registrySettingsSchema>;
