import type { Static, TSchema } from 'typebox';
import { RegistryError } from '../errors/index.ts';
import { fitSchema } from '../platform/fit-schema.ts';
import type { RouteRequest } from './route.ts';

const maxSmallBodyBytes = 64 * 1024;

/** A url-encoded form of at most 64 KiB. @throws REQUEST_INVALID */
export async function readForm(request: RouteRequest): Promise<URLSearchParams> {
  return new URLSearchParams((await readSmall(request)).toString('utf8'));
}

/** A JSON body, of at most 64 KiB unless its operation says otherwise, that fits the schema as it is: nothing is coerced or dropped. @throws REQUEST_INVALID */
export async function readJson<T extends TSchema>(
  request: RouteRequest,
  schema: T,
  maxBodyBytes: number = maxSmallBodyBytes,
): Promise<Static<T>> {
  const bytes = await readSmall(request, maxBodyBytes);
  let value: unknown;
  try {
    value = bytes.length === 0 ? {} : JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new RegistryError('REQUEST_INVALID', { message: 'the body is not JSON' });
  }
  const fit = await fitSchema(schema, value);
  if ('value' in fit) return fit.value;
  throw new RegistryError('REQUEST_INVALID', { message: `the body does not fit: ${fit.problem}` });
}

/** A body as it came, for what is signed byte by byte. @throws REQUEST_INVALID: it is larger than `maxBytes` */
export function readBytes(request: RouteRequest, maxBytes: number): Promise<Buffer> {
  return readSmall(request, maxBytes);
}

async function readSmall({ body, contentLength }: RouteRequest, maxBytes: number = maxSmallBodyBytes): Promise<Buffer> {
  if (contentLength !== undefined && contentLength > maxBytes) throw tooLarge(maxBytes);
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLarge(maxBytes: number): RegistryError {
  return new RegistryError('REQUEST_INVALID', { message: `the body is larger than ${maxBytes} bytes` });
}
