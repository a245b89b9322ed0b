import type { Duplex } from 'node:stream';
import { catalogueRow, renderAsOci, RegistryError } from '../errors/index.ts';

const phrases: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

/**
 * Answers what Node's parser refuses before there is a request: two lengths, odd transfer encodings, headers that are
 * too large or too late (attack 12). Always ends the connection, because nobody knows where the next request begins.
 */
export function answerBrokenRequest(error: Error, socket: Duplex): void {
  if (!socket.writable || ('code' in error && error.code === 'ECONNRESET')) {
    socket.destroy();
    return;
  }
  const code = 'code' in error ? error.code : undefined;
  const problem = problemOf(code);
  const status = code === 'HPE_HEADER_OVERFLOW' ? 431 : catalogueRow(problem.error).status;
  const { body } = renderAsOci(problem, '');
  const head = [
    `HTTP/1.1 ${status} ${phrases[status] ?? ''}`,
    'Docker-Distribution-Api-Version: registry/2.0',
    'X-Content-Type-Options: nosniff',
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

function problemOf(code: unknown): RegistryError {
  if (code === 'HPE_HEADER_OVERFLOW')
    return new RegistryError('REQUEST_INVALID', { message: 'the headers of the request are too large' });
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new RegistryError('REQUEST_TIMEOUT', { message: 'the headers of the request arrive too slowly' });
  return new RegistryError('REQUEST_INVALID', { message: 'the request does not follow HTTP/1.1' });
}
