import type { Readable } from 'node:stream';
import type { Change, Fact, ReplicaStatus } from '@berth/api';

/** What regions are to one another, and what can be asked of one. */

/** Of what regions say to one another. A change that an older version would misread makes it another number. */
export const feedVersion = 1;

export interface ReplicatedRegistry {
  readonly name: string;
  /** The region where its settings are written. */
  readonly home: string;
  readonly settingsVersion: string;
  /** As clients call it in the region that tells; audience of the tokens that are made there. */
  readonly loginServer: string;
  /** All regions that hold it, the home region too. */
  readonly regions: readonly { readonly name: string; readonly isEndpointEnabled: boolean }[];
}

export interface RefusedRegistry {
  readonly name: string;
  readonly problem: string;
  readonly remedy: string;
}

export interface PeerFacts {
  readonly region: string;
  /** Its clock (ms). */
  readonly now: number;
  readonly version: string;
  readonly feedVersion: number;
  readonly registries: readonly ReplicatedRegistry[];
  /**
   * Names of registries of this home that the asking region is to hold no longer: their replication was deleted. What is only
   * missing in `registries` stays: a home region that lost its data must not empty the others.
   */
  readonly removed: readonly string[];
  /** Registries whose home is the asking region and that this one cannot hold, with why. */
  readonly refused: readonly RefusedRegistry[];
  /** The public keys that its tokens are signed with (JWK with `kid`). */
  readonly tokenKeys: readonly Readonly<Record<string, unknown>>[];
}

export interface ChangePage {
  readonly changes: readonly Change[];
  /** Where to go on. */
  readonly next: string;
  readonly behind: number;
  readonly now: number;
}

export interface SnapshotPage {
  readonly facts: readonly Fact[];
  readonly next: string | null;
  /** Where the change log stood when this page was read. */
  readonly cursor: string;
  readonly total: number | null;
  readonly now: number;
}

export interface PeerBlob {
  /** Of the whole blob. */
  readonly sizeBytes: number;
  /** From the wanted offset on. To be read to its end or destroyed. */
  readonly body: Readable;
}

export interface ChangesFrom {
  readonly after: string;
  readonly limit: number;
  readonly waitSeconds: number;
  /** What was done in this region first, too: after a start, since this one may have been restored from a backup. */
  readonly withOwn?: boolean;
}

/** Another region. Every method fails with a `PeerError`, or the signal's reason; every answer is bounded and checked for its shape. */
export interface Peer {
  readonly name: string;
  /** `https://west.example`. */
  readonly address: string;
  /** As of the last request: whether it is worth asking. */
  readonly isUp: boolean;
  facts(signal: AbortSignal): Promise<PeerFacts>;
  /** Opened with the key of the regions: JSON text. */
  settings(registry: string, signal: AbortSignal): Promise<{ readonly version: string; readonly json: string }>;
  /** `waitSeconds`: how long it may wait for something to change. */
  changes(registry: string, from: ChangesFrom, signal: AbortSignal): Promise<ChangePage>;
  snapshot(registry: string, from: { readonly after: string | undefined }, signal: AbortSignal): Promise<SnapshotPage>;
  /** Undefined: it has no such manifest. */
  resolve(
    registry: string,
    name: { readonly repository: string; readonly reference: string },
    signal: AbortSignal,
  ): Promise<readonly Fact[] | undefined>;
  /** Undefined: it has no such blob in this repository. `end`: exclusive. */
  blob(
    registry: string,
    wanted: { readonly repository: string; readonly digest: string; readonly start?: number; readonly end?: number },
    signal: AbortSignal,
  ): Promise<PeerBlob | undefined>;
  status(registry: string, signal: AbortSignal): Promise<ReplicaStatus>;
}

export interface Peers {
  /** This region. */
  readonly region: string;
  all(): readonly Peer[];
  byName(name: string): Peer | undefined;
  close(): void;
}

export type PeerErrorKind =
  /** No connection, no answer in time, broken off. */
  | 'unreachable'
  /** The keys differ. */
  | 'unauthenticated'
  /** It does not hold the registry, or not for this region. */
  | 'not-here'
  | 'version'
  | 'clock'
  /** Not what its digest or its form promises. */
  | 'damaged'
  | 'cursor-unknown'
  | 'too-old'
  /** It answered with an error of its own. */
  | 'failed';

/** Why a region could not be asked. The message names the region and is fit for operators; it holds no secret. */
export class PeerError extends Error {
  readonly kind: PeerErrorKind;
  readonly region: string;
  /** What to do next. */
  readonly remedy: string;

  constructor(
    kind: PeerErrorKind,
    {
      region,
      message,
      remedy,
      cause,
    }: { readonly region: string; readonly message: string; readonly remedy: string; readonly cause?: unknown },
  ) {
    super(message, { cause });
    this.name = 'PeerError';
    this.kind = kind;
    this.region = region;
    this.remedy = remedy;
  }
}
