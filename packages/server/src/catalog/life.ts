/**
 * What a manifest goes through between its push and its first pull, where a registry quarantines (acr-api 6.5). Pure: queries,
 * routes and transactions ask here.
 */

/** What somebody decided. */
export type Verdict = 'Passed' | 'Failed';

export type QuarantineState = Verdict | 'Quarantined';

/**
 * A manifest about which nobody has decided is quarantined while its registry quarantines, whenever it was pushed. So switching
 * the policy writes nothing, however many manifests there are, and a push need not know of it.
 */
export function quarantineStateOf(verdict: Verdict | null, isQuarantineEnabled: boolean): QuarantineState | undefined {
  return verdict ?? (isQuarantineEnabled ? 'Quarantined' : undefined);
}

/** Whether those who may not look into the quarantine are kept from a manifest. */
export function isBlocked(verdict: Verdict | null, isQuarantineEnabled: boolean): boolean {
  return isQuarantineEnabled && verdict !== 'Passed';
}
