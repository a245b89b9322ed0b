import type { IncomingMessage } from 'node:http';
import { type Fact, type ReplicaStatus, replication } from '@berth/api';
import type { TSchema } from 'typebox';
import { ticksPerMs } from '../../changes/index.ts';
import type { Clock } from '../../platform/clock.ts';
import { type RegionKeys, openFromRegion } from '../../platform/region-keys/index.ts';
import { replicaStatus, versions } from './answer-schemas.ts';
import {
  type ChangePage,
  type ChangesFrom,
  type Peer,
  type PeerBlob,
  PeerError,
  type PeerFacts,
  type SnapshotPage,
  feedVersion,
} from './model.ts';
import { FutureFactError, NoFactError, parseChange, parseFact } from './parse-facts.ts';
import { openBlob } from './open-blob.ts';
import type { PeerTrust } from './peer-agents.ts';
import { PeerConnection, type PeerLimits } from './peer-connection.ts';
import { clockIsOff, damaged, factOfTheFuture, failureOf, otherVersion } from './peer-failures.ts';
import { PeerToken } from './peer-token.ts';
import { type AnswerSource, type Expected, checked, readAnswer, readError, readJson } from './read-answer.ts';
import { settingsPurpose } from './settings-purpose.ts';

/** A page holds 1 MiB of manifests, or one manifest of 4 MiB, and the facts. */
const maxPageBytes = 16 * 2 ** 20;
const maxListBytes = 16 * 2 ** 20;
/** A registry of the largest plan with all its tokens. */
const maxSettingsBytes = 128 * 2 ** 20;
const maxStatusBytes = 2 ** 20;

/** Codes that say: it has no such thing. */
const missingCodes = new Set(['BLOB_UNKNOWN', 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN', 'TAG_UNKNOWN']);
/** After these, the next one who asks would wait for nothing. */
const downKinds = new Set<PeerError['kind']>(['unreachable', 'unauthenticated', 'version', 'clock']);

export interface HttpPeerOptions extends PeerTrust {
  /** This region. */
  readonly region: string;
  readonly name: string;
  readonly address: string;
  readonly keys: RegionKeys;
  readonly limits: PeerLimits;
  readonly maxClockSkewMs: number;
  readonly clock: Clock;
}

interface Ask {
  /** Path and query below the list of registries. */
  readonly path: string;
  readonly waitMs?: number;
  readonly isBlob?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** Another region, asked over HTTP. */
export class HttpPeer implements Peer {
  readonly name: string;
  readonly address: string;
  readonly #options: HttpPeerOptions;
  readonly #connection: PeerConnection;
  readonly #token: PeerToken;
  #isUp = true;

  constructor(options: HttpPeerOptions) {
    const { name, address, region, keys, clock } = options;
    this.name = name;
    this.address = address;
    this.#options = options;
    this.#connection = new PeerConnection({ ...options, region: name });
    this.#token = new PeerToken(keys, { from: region, to: name }, clock);
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  facts(signal: AbortSignal): Promise<PeerFacts> {
    return this.#watched(async () => {
      const began = this.#options.clock.now();
      const response = await this.#ask({ path: '', signal });
      // A Berth of before there were regions, or no Berth at all.
      if (response.statusCode === 404) {
        const { code } = await readError(this.#source(signal), response);
        if (code !== undefined) throw otherVersion(this.name, undefined);
        throw failureOf(this.name, { status: 404, code, message: '', reason: undefined });
      }
      const answer = await readJson(this.#source(signal), response, maxListBytes);
      // First: another version may say all the rest otherwise.
      const made = await checked(this.#source(signal), versions, answer);
      if (made.feedVersion !== feedVersion) throw otherVersion(this.name, made.version);
      const facts = await checked(this.#source(signal), replication.listReplicatedRegistries.responses[200].schema, answer);
      if (facts.region !== this.name) throw damaged(this.name, `the name ${facts.region.slice(0, 64)}`);
      this.#requireClock(facts.now, began);
      return facts as PeerFacts;
    });
  }

  settings(registry: string, signal: AbortSignal): Promise<{ readonly version: string; readonly json: string }> {
    return this.#watched(async () => {
      const { schema } = replication.readRegistrySettings.responses[200];
      const path = `/${encodeURIComponent(registry)}/settings`;
      const { version, sealed } = await this.#read({ path, signal }, { schema, maxBytes: maxSettingsBytes });
      const json = openFromRegion(this.#options.keys, settingsPurpose({ registry, version, home: this.name }), sealed);
      if (json === undefined) throw damaged(this.name, `settings of ${registry} that no key of the regions opens`);
      return { version, json };
    });
  }

  changes(
    registry: string,
    { after, limit, waitSeconds, withOwn = false }: ChangesFrom,
    signal: AbortSignal,
  ): Promise<ChangePage> {
    return this.#watched(async () => {
      const except = withOwn ? {} : { except: this.#options.region };
      const query = { after, limit: String(limit), waitSeconds: String(waitSeconds), ...except };
      const path = `/${encodeURIComponent(registry)}/changes?${new URLSearchParams(query)}`;
      const { schema } = replication.followChanges.responses[200];
      const began = this.#options.clock.now();
      const page = await this.#read({ path, waitMs: waitSeconds * 1000, signal }, { schema, maxBytes: maxPageBytes });
      this.#requireClock(page.now, began);
      return { ...page, changes: this.#parse(page.changes, parseChange) };
    });
  }

  snapshot(registry: string, { after }: { readonly after: string | undefined }, signal: AbortSignal): Promise<SnapshotPage> {
    return this.#watched(async () => {
      const query = new URLSearchParams(after === undefined ? {} : { after });
      const path = `/${encodeURIComponent(registry)}/snapshot?${query}`;
      const { schema } = replication.readSnapshot.responses[200];
      const began = this.#options.clock.now();
      const page = await this.#read({ path, signal }, { schema, maxBytes: maxPageBytes });
      this.#requireClock(page.now, began);
      return { ...page, facts: this.#parse(page.facts, parseFact) };
    });
  }

  resolve(
    registry: string,
    name: { readonly repository: string; readonly reference: string },
    signal: AbortSignal,
  ): Promise<readonly Fact[] | undefined> {
    return this.#watched(async () => {
      const path = `/${encodeURIComponent(registry)}/manifests?${new URLSearchParams(name)}`;
      const response = await this.#ask({ path, signal });
      if (await this.#isMissing(response, signal)) return undefined;
      const { schema } = replication.resolveForRegion.responses[200];
      const { facts } = await readAnswer(this.#source(signal), response, { schema, maxBytes: maxPageBytes });
      return this.#parse(facts, parseFact);
    });
  }

  blob(
    registry: string,
    wanted: { readonly repository: string; readonly digest: string; readonly start?: number; readonly end?: number },
    signal: AbortSignal,
  ): Promise<PeerBlob | undefined> {
    return this.#watched(async () => {
      const { repository, digest, start = 0, end } = wanted;
      const range = start > 0 || end !== undefined ? { range: `bytes=${start}-${end === undefined ? '' : end - 1}` } : undefined;
      const query = new URLSearchParams({ repository });
      const path = `/${encodeURIComponent(registry)}/blobs/${encodeURIComponent(digest)}?${query}`;
      const response = await this.#ask({ path, headers: { ...range }, isBlob: true, signal });
      if (await this.#isMissing(response, signal)) return undefined;
      return openBlob(this.#source(signal), response, { start, end, isRange: range !== undefined });
    });
  }

  status(registry: string, signal: AbortSignal): Promise<ReplicaStatus> {
    return this.#watched(async () => {
      const path = `/${encodeURIComponent(registry)}/status`;
      return this.#read({ path, signal }, { schema: replicaStatus, maxBytes: maxStatusBytes });
    });
  }

  close(): void {
    this.#connection.close();
  }

  /** Remembers whether the region answered. */
  async #watched<T>(work: () => Promise<T>): Promise<T> {
    try {
      const result = await work();
      this.#isUp = true;
      return result;
    } catch (error) {
      // Whoever stopped waiting says nothing about the region.
      if (error instanceof PeerError) this.#isUp = !downKinds.has(error.kind);
      throw error;
    }
  }

  async #read<T extends TSchema>(ask: Ask, expected: Expected<T>) {
    return readAnswer(this.#source(ask.signal), await this.#ask(ask), expected);
  }

  async #ask({ path, headers = {}, ...how }: Ask): Promise<IncomingMessage> {
    const target = replication.listReplicatedRegistries.path + path;
    for (let attempts = 1; ; attempts += 1) {
      const authorization = await this.#token.header();
      const response = await this.#connection.get({ ...how, path: target, headers: { ...headers, authorization } });
      if (response.statusCode !== 401) return response;
      const answer = await readError(this.#source(how.signal), response);
      const isOtherKeyLeft = answer.reason === 'key' && attempts < this.#options.keys.length;
      if (!isOtherKeyLeft || !(await this.#token.isWorthRetrying(authorization))) throw failureOf(this.name, answer);
    }
  }

  /** 404 for what is not there; not for a registry that the region does not hold. */
  async #isMissing(response: IncomingMessage, signal: AbortSignal): Promise<boolean> {
    if (response.statusCode !== 404) return false;
    const answer = await readError(this.#source(signal), response);
    if (answer.code !== undefined && missingCodes.has(answer.code)) return true;
    throw failureOf(this.name, answer);
  }

  #source(signal: AbortSignal): AnswerSource {
    return { region: this.name, address: new URL(this.address), idleMs: this.#options.limits.idleMs, signal };
  }

  /** `theirs` was read between `began` and now. */
  #requireClock(theirs: number, began: number): void {
    const { clock, maxClockSkewMs } = this.#options;
    const now = clock.now();
    const skewMs = theirs > now ? theirs - now : Math.min(0, theirs - began);
    if (Math.abs(skewMs) > maxClockSkewMs) throw clockIsOff(this.name, skewMs, maxClockSkewMs);
  }

  #parse<T>(values: readonly unknown[], parse: (value: unknown, maxClock: number) => T): readonly T[] {
    const { clock, maxClockSkewMs } = this.#options;
    // A counter may have run ahead of its millisecond a little.
    const maxClock = (clock.now() + maxClockSkewMs + 1_000) * ticksPerMs;
    try {
      return values.map((value) => parse(value, maxClock));
    } catch (error) {
      if (error instanceof FutureFactError) throw factOfTheFuture(this.name, maxClockSkewMs);
      throw error instanceof NoFactError ? damaged(this.name, error.message, error) : error;
    }
  }
}
