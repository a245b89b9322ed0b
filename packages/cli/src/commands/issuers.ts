import { readFileSync } from 'node:fs';
import { identities as operations } from '@berth/api';
import { callOperation } from '../call-operation.ts';
import { CommandError } from '../command-error.ts';
import type { Connection } from '../connection.ts';
import { type Output, show } from '../output.ts';

/** `berth issuer add`: tokens of it are read from now on. */
export async function addIssuer(
  connection: Connection,
  output: Output,
  { issuer, keys }: { readonly issuer: string; readonly keys: string | undefined },
): Promise<void> {
  const body = keys === undefined ? { issuer } : { issuer, jwks: readKeys(keys) };
  const result = await callOperation(connection, operations.addIssuer, { body });
  show(output, result, `${issuer} is trusted. Nobody signs in with its tokens yet: berth identity trust says who may.`);
}

/** `berth issuer list`. */
export async function listIssuers(connection: Connection, output: Output): Promise<void> {
  const result = (await callOperation(connection, operations.listIssuers)) as {
    issuers: { issuer: string; hasKeys: boolean }[];
  };
  const lines = result.issuers.map(({ issuer, hasKeys }) => `${issuer}${hasKeys ? '  with keys' : ''}`);
  show(output, result, lines.length === 0 ? 'No issuer is trusted.' : lines.join('\n'));
}

/** `berth issuer remove`. */
export async function removeIssuer(connection: Connection, output: Output, issuer: string): Promise<void> {
  await callOperation(connection, operations.removeIssuer, { query: { issuer } });
  show(output, { deleted: issuer }, `${issuer} is not trusted any more, and what was signed in with its tokens has ended.`);
}

function readKeys(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as unknown;
  } catch (error) {
    throw new CommandError(`${path} holds no key set`, 'save the JSON Web Key Set of the issuer there', { cause: error });
  }
}
