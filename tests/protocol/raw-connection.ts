import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type Socket, connect } from 'node:net';

/** An answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** Longer than any answer takes: a server that hangs fails the test instead of the run. */
const patienceMs = 20_000;

/**
 * Sends exactly these bytes, which no HTTP client would, and collects answers until the server closes. The sending side
 * is closed first unless `isHeldOpen`.
 */
export async function exchange(
  url: string,
  pieces: readonly (string | Uint8Array)[],
  options: { readonly isHeldOpen?: boolean } = {},
): Promise<RawAnswer[]> {
  const socket = open(url);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  for (const piece of pieces) socket.write(piece);
  if (options.isHeldOpen !== true) socket.end();
  await closed(socket);
  return answersIn(Buffer.concat(chunks).toString('latin1'));
}

/** Sends these bytes, waits until they are on their way and `meanwhile` is done, and cuts the connection. */
export async function sendAndLeave(
  url: string,
  pieces: readonly (string | Uint8Array)[],
  meanwhile?: () => Promise<void>,
): Promise<void> {
  const socket = open(url);
  await once(socket, 'connect');
  for (const piece of pieces)
    await new Promise<void>((resolve) => socket.write(typeof piece === 'string' ? Buffer.from(piece) : piece, () => resolve()));
  await meanwhile?.();
  socket.destroySoon();
  await closed(socket);
}

function open(url: string): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.setNoDelay(true);
  socket.setTimeout(patienceMs, () => socket.destroy(new Error(`nothing came for ${patienceMs} ms`)));
  return socket;
}

/** Resets are how a server cuts an attacker off; a timeout is a failure. */
async function closed(socket: Socket): Promise<void> {
  const failures: Error[] = [];
  socket.on('error', (error) => failures.push(error));
  if (!socket.closed) await once(socket, 'close').catch(() => undefined);
  for (const failure of failures) if (!('code' in failure)) throw failure;
}

function answersIn(text: string): RawAnswer[] {
  const answers: RawAnswer[] = [];
  for (let rest = text; rest !== ''; ) {
    const end = rest.indexOf('\r\n\r\n');
    assert.ok(end !== -1, `half an answer: ${rest.slice(0, 200)}`);
    const head = rest.slice(0, end);
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1]);
    assert.ok(status > 0, `no answer: ${head.slice(0, 200)}`);
    const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
    answers.push({ status, head, body: rest.slice(end + 4, end + 4 + length) });
    rest = rest.slice(end + 4 + length);
  }
  return answers;
}
