import type { Operation } from '@berth/api';
import type { Connection } from './connection.ts';
import { readAnswer } from './read-answer.ts';
import { type OperationInput, pathOf, sendRequest } from './send-request.ts';

/** Every operation of the command line answers at once and works on in the background. */
const answerTimeoutMs = 60_000;

/** Asks a server to do an operation of the contract; resolves with the JSON of its answer. @throws CommandError */
export async function callOperation(
  connection: Connection,
  operation: Operation,
  input: OperationInput & { readonly body?: object } = {},
): Promise<unknown> {
  const body = operation.body === undefined ? undefined : JSON.stringify(input.body ?? {});
  const headers = body === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
  const path = pathOf(operation, input);
  const { outgoing, answer } = sendRequest(connection, { method: operation.method, path, headers, silenceMs: answerTimeoutMs });
  outgoing.end(body);
  return readAnswer(connection, operation, await answer);
}
