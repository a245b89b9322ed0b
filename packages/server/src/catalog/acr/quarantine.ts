import { RegistryError } from '../../errors/index.ts';
import type { Verdict } from '../life.ts';
import type { QuarantineChange } from './update-attributes.ts';

/** Scanners sum up here and link to the rest; lists show a hundred of them at once. */
const maxDetailsBytes = 16 * 1024;

interface Decision {
  readonly quarantineState?: Verdict;
  readonly quarantineDetails?: string;
}

/** Columns to set. @throws REQUEST_INVALID when the details are too long or no JSON */
export function quarantineChangeOf({ quarantineState, quarantineDetails }: Decision): QuarantineChange {
  if (quarantineDetails !== undefined) requireDetails(quarantineDetails);
  return {
    ...(quarantineState !== undefined && { quarantine_state: quarantineState }),
    ...(quarantineDetails !== undefined && { quarantine_details: quarantineDetails }),
  };
}

function requireDetails(text: string): void {
  if (Buffer.byteLength(text) > maxDetailsBytes)
    throw new RegistryError('REQUEST_INVALID', { message: `quarantineDetails has more than ${maxDetailsBytes} bytes` });
  try {
    JSON.parse(text);
  } catch {
    throw new RegistryError('REQUEST_INVALID', { message: 'quarantineDetails is not JSON in a string' });
  }
}
