import { Readable } from 'node:stream';
import type { Need } from '@berth/api';
import { pino } from 'pino';
import type { Catalog } from '../../catalog/index.ts';
import { asRegistryError } from '../../errors/index.ts';
import type { Registry } from '../../tenancy/index.ts';

type Route = Catalog['routes'][number];

export interface TestAnswer {
  readonly status: number;
  readonly bytes: Buffer;
  readonly lengthBytes: number | undefined;
  readonly error: string | undefined;
  readonly digest: string | undefined;
}

export interface TestQuestion {
  readonly name: string;
  readonly reference?: string;
  readonly digest?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  readonly permits?: (need: Need) => boolean;
}

/** What a client would get. */
export async function answerOf(route: Route, registry: Registry, question: TestQuestion): Promise<TestAnswer> {
  try {
    const reply = await route.handle(requestOf(registry, question));
    const digest = reply.headers?.['Docker-Content-Digest'];
    const head = { status: reply.status, error: undefined, digest: digest === undefined ? undefined : String(digest) };
    const isHead = route.operation.method === 'HEAD';
    const { body } = reply;
    if (body instanceof Uint8Array) return { ...head, bytes: Buffer.from(isHead ? [] : body), lengthBytes: body.length };
    if (typeof body !== 'object' || !('open' in body)) return { ...head, bytes: Buffer.alloc(0), lengthBytes: undefined };
    const received: Buffer[] = [];
    if (!isHead) for await (const buffers of body.open()) received.push(...buffers.map((buffer) => Buffer.from(buffer)));
    return { ...head, bytes: Buffer.concat(received), lengthBytes: body.lengthBytes };
  } catch (thrown) {
    const error = asRegistryError(thrown);
    if (error.error === 'INTERNAL') throw thrown;
    return { status: error.status, bytes: Buffer.alloc(0), lengthBytes: undefined, error: error.error, digest: undefined };
  }
}

function requestOf(registry: Registry, question: TestQuestion): Parameters<Route['handle']>[0] {
  const { name, reference, digest, headers = {}, body = Buffer.alloc(0), permits = () => true } = question;
  const params = Object.entries({ name, reference, digest }).filter(([, value]) => value !== undefined);
  return {
    id: 'test',
    registry,
    principal: { kind: 'admin', id: 'admin:test', name: 'test', permits, couldPermit: permits },
    params: Object.fromEntries(params) as Record<string, string>,
    query: new URLSearchParams(),
    headers,
    origin: 'http://localhost',
    clientAddress: '127.0.0.1',
    contentLength: body.length,
    body: Readable.from(body.length === 0 ? [] : [body], { objectMode: false }),
    signal: new AbortController().signal,
    log: pino({ level: 'silent' }),
    note: () => undefined,
  };
}
