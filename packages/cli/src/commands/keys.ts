import { upkeep } from '@berth/api';
import { callOperation } from '../call-operation.ts';
import type { Connection } from '../connection.ts';
import { type Output, show } from '../output.ts';

/** `berth keys rotate`: another key for keys, or another key for content from now on. */
export async function rotateKeys(connection: Connection, output: Output, key: 'wrapping' | 'data'): Promise<void> {
  const result = (await callOperation(connection, upkeep.rotateKeys, { body: { key } })) as { id: string; rewrapped: number };
  const text =
    key === 'wrapping'
      ? `The wrapping key is now ${result.id}; ${result.rewrapped} keys were wrapped anew. Back the key file up again: older copies will not open what is stored from now on.`
      : `New content is sealed with the data key ${result.id}; what is stored stays readable with the keys it has.`;
  show(output, result, text);
}
