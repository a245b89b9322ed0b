import type { SealedText } from '../model.ts';

/** What reading a task needs beside the document. */
export interface ReadScene {
  /** @throws KEY_UNAVAILABLE */
  readonly seal: (text: string) => SealedText;
}
