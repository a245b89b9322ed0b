import { health, upkeep } from '@berth/api';
import { callOperation } from '../call-operation.ts';
import { CommandError } from '../command-error.ts';
import type { Connection } from '../connection.ts';
import { type Output, show } from '../output.ts';

/** `berth gc`: collects what is due now. */
export async function collectGarbage(connection: Connection, output: Output): Promise<void> {
  const result = (await callOperation(connection, upkeep.startCollection)) as {
    settled: number;
    partsDeleted: number;
    candidatesDue: number;
  };
  show(
    output,
    result,
    `${result.partsDeleted} parts deleted, ${result.settled} candidates settled, ${result.candidatesDue} still due.`,
  );
}

/** `berth passwords regenerate`: the new password is shown this once. */
export async function regeneratePassword(connection: Connection, output: Output, slot: string): Promise<void> {
  if (slot !== 'password' && slot !== 'password2')
    throw new CommandError(`there is no password "${slot}"`, 'the admin user has "password" and "password2"');
  const result = (await callOperation(connection, upkeep.regeneratePassword, { params: { slot } })) as {
    username: string;
    value: string;
  };
  show(
    output,
    result,
    `${slot} of ${result.username} is now ${result.value}\nIt is shown only this once. What was signed in with the one before ends now; the other password goes on.`,
  );
}

/** `berth status`: whether the server can serve. */
export async function showStatus(connection: Connection, output: Output): Promise<void> {
  const result = await callOperation(connection, health.getReadiness);
  show(output, result, `${connection.origin} is ready.`);
}
