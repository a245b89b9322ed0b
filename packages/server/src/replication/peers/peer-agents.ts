import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { createSecureContext, getCACertificates } from 'node:tls';
import type { Certificate, CertificateSource } from '../../platform/tls/index.ts';

/** Long polls of all registries, and what is asked beside them. */
const calls = { keepAlive: true, maxSockets: 1_024, timeout: 15_000 };
const blobs = { keepAlive: true, maxSockets: 256, maxFreeSockets: 64, timeout: 15_000 };

/** Bytes of blobs have connections of their own: they must not hold up the facts. */
interface Agents {
  readonly calls: HttpAgent;
  readonly blobs: HttpAgent;
}

export interface PeerTrust {
  /** PEM; beside those that the system trusts. */
  readonly authorities: string | undefined;
  /** What is shown to the other side. */
  readonly certificate: CertificateSource | undefined;
}

/** What keeps connections to one region open. New connections show a new certificate once there is one. */
export class PeerAgents {
  readonly #isTls: boolean;
  readonly #trust: PeerTrust;
  #shown: Certificate | undefined;
  #agents: Agents;

  constructor(isTls: boolean, trust: PeerTrust) {
    this.#isTls = isTls;
    this.#trust = trust;
    this.#agents = this.#make();
  }

  current(): Agents {
    // What is under way on connections of the old one goes on; idle ones end by themselves.
    if (this.#trust.certificate?.current() !== this.#shown) this.#agents = this.#make();
    return this.#agents;
  }

  close(): void {
    this.#agents.calls.destroy();
    this.#agents.blobs.destroy();
  }

  #make(): Agents {
    const { authorities, certificate } = this.#trust;
    this.#shown = certificate?.current();
    if (!this.#isTls) return { calls: new HttpAgent(calls), blobs: new HttpAgent(blobs) };
    // Made once: to read all authorities takes longer than a handshake.
    const ca = authorities === undefined ? undefined : [...getCACertificates('default'), authorities];
    const isUsual = ca === undefined && this.#shown === undefined;
    const how = isUsual ? {} : { secureContext: createSecureContext({ ca, ...this.#shown }) };
    return { calls: new HttpsAgent({ ...calls, ...how }), blobs: new HttpsAgent({ ...blobs, ...how }) };
  }
}
