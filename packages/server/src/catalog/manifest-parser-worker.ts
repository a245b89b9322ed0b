import { parentPort } from 'node:worker_threads';
import { OciError, type OciErrorCode } from '@berth/oci';
import { type ManifestFacts, factsOf } from './model.ts';

/** To the parser thread. */
export interface ParseRequest {
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly contentType: string | undefined;
}

/** From the parser thread. Errors lose their class on the way, so what matters of them is sent. */
export type ParseAnswer =
  | { readonly id: number; readonly facts: ManifestFacts }
  | { readonly id: number; readonly invalid: { readonly code: OciErrorCode; readonly message: string; readonly detail: unknown } }
  | { readonly id: number; readonly bug: Error };

function answer({ id, bytes, contentType }: ParseRequest): ParseAnswer {
  try {
    return { id, facts: factsOf(bytes, contentType) };
  } catch (error) {
    if (error instanceof OciError) return { id, invalid: { code: error.code, message: error.message, detail: error.detail } };
    return { id, bug: error instanceof Error ? error : new Error(String(error)) };
  }
}

parentPort?.on('message', (request: ParseRequest) => parentPort?.postMessage(answer(request)));
