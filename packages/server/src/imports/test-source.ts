import { type IncomingMessage, type ServerResponse, createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

export interface TestSource {
  /** As `registryUri`. */
  readonly host: string;
  /** Method and path of each request, in order. */
  readonly asked: string[];
  /** The headers of each, in the same order. */
  readonly headers: IncomingMessage['headers'][];
}

/** Answers a request itself, or not: `false`. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => boolean;

export async function listen(
  t: TestContext,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<TestSource> {
  const asked: string[] = [];
  const headers: IncomingMessage['headers'][] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    headers.push(request.headers);
    handle(request, response);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, asked, headers };
}

/** Stands before a real registry, to whom it sends on whatever `answer` leaves to it. Challenges name the registry itself. */
export function listenBefore(t: TestContext, url: string, answer: Answer): Promise<TestSource> {
  return listen(t, (request, response) => {
    if (answer(request, response)) return;
    const onward = httpRequest(new URL(request.url ?? '/', url), { method: request.method ?? 'GET', headers: request.headers });
    onward.on('response', (answered) => {
      response.writeHead(answered.statusCode ?? 500, answered.headers);
      answered.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
}
