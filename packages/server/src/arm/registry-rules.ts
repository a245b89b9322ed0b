import type { RegistryRecord } from '../registries/index.ts';
import type { ArmContext } from './arm-context.ts';

type Wanted = Pick<RegistryRecord, 'plan' | 'isAnonymousPullEnabled' | 'properties'>;

/** What of a registry goes together, and what its plan allows (acr-api 4). @throws FEATURE_NOT_SUPPORTED, CONFLICT */
export async function requireValidRegistry(
  _context: ArmContext,
  _before: RegistryRecord | undefined,
  _wanted: Wanted,
): Promise<void> {}
