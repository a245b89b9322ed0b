import { RegistryError } from '../../errors/index.ts';
import type { Verdict } from '../life.ts';
import type { QuarantineChange } from './update-attributes.ts';

/** Scanners sum up here and link to the rest; lists show a hundred of them at once. */
const maxDetailsBytes = 16 * 1024;
const verdicts = ['Passed', 'Failed'] as const satisfies readonly Verdict[];

interface Decision {
  readonly quarantineState?: string;
  readonly quarantineDetails?: string;
}

/** Columns to set. @throws REQUEST_INVALID for a state that nobody can decide, and details that are too long or no JSON */
export function quarantineChangeOf({ quarantineState, quarantineDetails }: Decision): QuarantineChange {
  if (quarantineDetails !== undefined) requireDetails(quarantineDetails);
  return {
    ...(quarantineState !== undefined && { quarantine_state: verdictOf(quarantineState) }),
    ...(quarantineDetails !== undefined && { quarantine_details: quarantineDetails }),
  };
}

/** Scanners write `passed` as well. */
function verdictOf(text: string): Verdict {
  const verdict = verdicts.find((each) => each.toLowerCase() === text.toLowerCase());
  if (verdict !== undefined) return verdict;
  throw new RegistryError('REQUEST_INVALID', {
    message: `quarantineState must be ${verdicts.join(' or ')}, not ${JSON.stringify(text.slice(0, 64))}`,
  });
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
