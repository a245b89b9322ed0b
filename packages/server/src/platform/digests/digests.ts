import { DigestThread } from './digest-thread.ts';
import { InlineDigest, type RunningDigest } from './running-digest.ts';
import { ThreadDigest } from './thread-digest.ts';
import { UndecidedDigest } from './undecided-digest.ts';

/** From here on the thread is worth its messages. */
const manyBytes = 256 * 1024;

/**
 * Hashing is the most work that a received byte makes: with SHA-256 a third of what the thread that receives it does. In a thread of
 * its own it goes on while this one receives, seals and answers others.
 */
export class Digests {
  #thread: DigestThread | undefined;

  /** `sizeBytes`: what is to come, when it was said. */
  begin(algorithm: string, sizeBytes: number | undefined): RunningDigest {
    const few = (): RunningDigest => new InlineDigest(algorithm);
    const many = (): RunningDigest => this.#inThread(algorithm) ?? few();
    if (sizeBytes === undefined) return new UndecidedDigest({ few, many });
    return sizeBytes < manyBytes ? few() : many();
  }

  async close(): Promise<void> {
    await this.#thread?.close();
  }

  /** Nobody waits for the thread to start, nor fails because it cannot: undefined until it is there. */
  #inThread(algorithm: string): ThreadDigest | undefined {
    if (this.#thread === undefined || this.#thread.hasEnded) this.#thread = new DigestThread();
    return this.#thread.isReady ? ThreadDigest.begin(this.#thread, algorithm) : undefined;
  }
}
