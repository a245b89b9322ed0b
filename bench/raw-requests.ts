import { type Socket, connect } from 'node:net';

/**
 * Repeats one GET over keep-alive connections with next to no cost on this side, so that a fast server is measured and
 * not the client. Every answer must be a 200 of the first one's length (the peer lists tags in random order).
 */
export async function requestsPerSecond(options: {
  readonly url: URL;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly connections: number;
  readonly durationMs: number;
}): Promise<number> {
  const lines = Object.entries({ host: options.url.host, ...options.headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  const request = Buffer.from(`GET ${options.path} HTTP/1.1\r\n${lines.join('')}\r\n`);
  const stopAt = performance.now() + options.durationMs;
  const began = performance.now();
  const counts = await Promise.all(Array.from({ length: options.connections }, () => repeat(options.url, request, stopAt)));
  return counts.reduce((sum, count) => sum + count, 0) / ((performance.now() - began) / 1000);
}

async function repeat(url: URL, request: Buffer, stopAt: number): Promise<number> {
  const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
  try {
    return await new Promise<number>((resolve, reject) => exchange(socket, request, stopAt, { resolve, reject }));
  } finally {
    socket.destroy();
  }
}

function exchange(
  socket: Socket,
  request: Buffer,
  stopAt: number,
  { resolve, reject }: { readonly resolve: (count: number) => void; readonly reject: (error: Error) => void },
): void {
  let count = 0;
  let pending: Buffer = Buffer.alloc(0);
  let bodyBytes: number | undefined;
  socket.on('error', reject);
  socket.on('close', () => reject(new Error('the server closed the connection')));
  socket.on('connect', () => socket.write(request));
  socket.on('data', (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    const headEnd = pending.indexOf('\r\n\r\n');
    if (headEnd === -1) return;
    if (!pending.subarray(0, okay.length).equals(okay))
      return reject(new Error(`unexpected answer: ${pending.subarray(0, 300).toString()}`));
    if (!isWhole(pending, headEnd)) return;
    bodyBytes ??= pending.length - headEnd;
    if (bodyBytes !== pending.length - headEnd) return reject(new Error('an answer differs in length from the first'));
    pending = Buffer.alloc(0);
    count += 1;
    if (performance.now() >= stopAt) resolve(count);
    else socket.write(request);
  });
}

const okay = Buffer.from('HTTP/1.1 200');
const lastChunk = Buffer.from('\r\n0\r\n\r\n');

function isWhole(answer: Buffer, headEnd: number): boolean {
  const length = /\r\ncontent-length: *(\d+)/i.exec(answer.toString('latin1', 0, headEnd))?.[1];
  if (length !== undefined) return answer.length >= headEnd + 4 + Number(length);
  return answer.subarray(-lastChunk.length).equals(lastChunk);
}
