import { arm, signedBlobs } from '@berth/api';
import { parseRange } from '../http/ranges.ts';
import { readBytes } from '../http/read-body.ts';
import type { Reply, Route, RouteRequest } from '../http/route.ts';
import type { LogText, SourceUpload } from '../runs/index.ts';
import type { Registry } from '../tenancy/index.ts';
import type { ArmContext } from './arm-context.ts';
import { BlobRefusal } from './blob-refusal.ts';
import { parseBlockList, requireBlockId } from './block-list.ts';
import { managedRegistry } from './managed-routes.ts';
import { requireRun } from './run-routes.ts';
import { SignedAddresses } from './signed-address.ts';
import { blobHeaders, storageOperation } from './storage-routes.ts';
import { logAddress, logPath, registryOfAccount, requireSignature, sourcePath, uploadAddress } from './signed-blobs.ts';

/** More than any list of blocks needs. */
const maxListBytes = 4 * 2 ** 20;

type BlobContext = ArmContext & { readonly addresses: () => Promise<SignedAddresses> };

/** Signed addresses, and the part of the Azure Blob protocol that clients speak there (acr-tasks 3, 6.6). */
export function blobRoutes(context: ArmContext): readonly Route[] {
  let addresses: Promise<SignedAddresses> | undefined;
  const blobs: BlobContext = { ...context, addresses: () => (addresses ??= readAddresses(context)) };
  return [
    managedRegistry(context, arm.runs.listBuildSourceUploadUrl, async ({ request, registry }) => {
      const { id, secret } = await context.runs.reserveSource(registry, request.principal.id);
      const uploadUrl = `${request.origin}${await uploadAddress(blobs, { registry, id, secret })}`;
      return secretly({ uploadUrl, relativePath: `source/${id}` });
    }),
    managedRegistry(context, arm.runs.listLogSasUrl, async (managedRequest) => {
      const { request, registry } = managedRequest;
      const { id } = await requireRun(context, managedRequest);
      return secretly({ logLink: `${request.origin}${await logAddress(blobs, registry, id)}` });
    }),
    storageOperation(signedBlobs.putSourceBlob, (request) => putSource(blobs, request)),
    storageOperation(signedBlobs.getLogBlob, (request) => getLog(blobs, request)),
  ];
}

async function readAddresses({ keys }: ArmContext): Promise<SignedAddresses> {
  return new SignedAddresses(await keys.signingKeys());
}

function secretly(json: unknown): Reply {
  return { status: 200, headers: { 'Cache-Control': 'no-store' }, body: { json } };
}

function registryNamed({ registries }: ArmContext, { params }: RouteRequest): Registry | undefined {
  const name = registryOfAccount(params['account'] ?? '');
  return name === undefined ? undefined : registries.byName(name);
}

async function putSource(context: BlobContext, request: RouteRequest): Promise<Reply> {
  const { params, query, body, contentLength, signal } = request;
  const id = params['blob'] ?? '';
  const registry = await requireSignature(context, {
    registry: registryNamed(context, request),
    path: (each) => sourcePath(each, id),
    permission: 'cw',
    query,
  });
  const secret = query.get('si') ?? '';
  if (contentLength === undefined) throw new BlobRefusal('MissingContentLengthHeader', 'Content-Length is missing.');
  const sent: SentPart = { registry, id, secret, body, sizeBytes: contentLength, signal };
  const isKept = await keepPart(context, request, sent);
  if (!isKept) throw usedUp();
  const now = context.clock.now();
  return {
    status: 201,
    headers: {
      ...blobHeaders(request),
      ETag: etagOf(now, contentLength),
      'Last-Modified': new Date(now).toUTCString(),
      'x-ms-request-server-encrypted': 'true',
    },
  };
}

interface SentPart extends SourceUpload {
  readonly registry: Registry;
  readonly id: string;
  readonly sizeBytes: number;
}

/** `Put Blob`, `Put Block` or `Put Block List`. */
async function keepPart({ runs }: BlobContext, request: RouteRequest, sent: SentPart): Promise<boolean> {
  const { registry, id, ...upload } = sent;
  const { query, headers } = request;
  switch (query.get('comp')) {
    case null:
      if (headers['x-ms-blob-type'] !== 'BlockBlob')
        throw new BlobRefusal('InvalidHeaderValue', 'x-ms-blob-type must be BlockBlob.');
      return runs.receiveSource(registry, id, upload);
    case 'block':
      return runs.receiveSourceBlock(registry, id, { ...upload, blockId: requireBlockId(query.get('blockid')) });
    case 'blocklist': {
      const { secret, signal } = upload;
      return runs.joinSource(registry, id, {
        secret,
        signal,
        blockIds: parseBlockList((await readBytes(request, maxListBytes)).toString('utf8')),
      });
    }
    default:
      throw new BlobRefusal('InvalidQueryParameterValue', 'comp must be block or blocklist, or absent.');
  }
}

function usedUp(): BlobRefusal {
  return new BlobRefusal('UnauthorizedBlobOverwrite', 'The address takes one upload, and has had it. Ask for another one.');
}

async function getLog(context: BlobContext, request: RouteRequest): Promise<Reply> {
  const { params, query, headers } = request;
  const runId = params['run'] ?? '';
  const registry = await requireSignature(context, {
    registry: registryNamed(context, request),
    path: (each) => logPath(each, runId),
    permission: 'r',
    query,
  });
  const log = await context.runs.logText(registry.id, runId);
  // There is a blob once something was written; clients ask until then.
  if (log === undefined || (log.sizeBytes === 0 && !log.isComplete))
    throw new BlobRefusal('BlobNotFound', 'The specified blob does not exist.');
  const { sizeBytes } = log;
  const range = parseRange(headers['x-ms-range'] ?? headers['range'], sizeBytes);
  if (range === 'unsatisfiable') throw new BlobRefusal('InvalidRange', `The log has ${sizeBytes} bytes.`);
  const { start, end } = range ?? { start: 0, end: sizeBytes };
  return {
    status: range === undefined ? 200 : 206,
    headers: {
      ...blobHeaders(request),
      ...logHeaders(log),
      ...(range !== undefined && { 'Content-Range': `bytes ${start}-${end - 1}/${sizeBytes}` }),
    },
    body: { lengthBytes: end - start, open: () => asChunks(context.runs.readLogText(registry.id, runId, { start, end })) },
  };
}

function logHeaders({ sizeBytes, isComplete, status, changedAt }: LogText): Readonly<Record<string, string>> {
  return {
    'Accept-Ranges': 'bytes',
    'Content-Type': 'text/plain; charset=utf-8',
    ETag: etagOf(changedAt, sizeBytes),
    'Last-Modified': new Date(changedAt).toUTCString(),
    'x-ms-blob-type': 'AppendBlob',
    'x-ms-server-encrypted': 'true',
    ...(isComplete && { 'x-ms-meta-complete': outcomes[status] ?? 'internalerror' }),
  };
}

/** How the command line of Azure tells the end of a run from the metadata of its log (acr-tasks 6.4). */
const outcomes: Partial<Record<LogText['status'], string>> = {
  Succeeded: 'successful',
  Failed: 'failed',
  Canceled: 'canceled',
  Error: 'internalerror',
  Timeout: 'timedout',
};

function etagOf(changedAt: number, sizeBytes: number): string {
  return `"0x${changedAt.toString(16).toUpperCase()}${sizeBytes.toString(16).toUpperCase().padStart(8, '0')}"`;
}

async function* asChunks(bytes: AsyncIterable<Buffer>): AsyncGenerator<readonly Buffer[], void, undefined> {
  for await (const chunk of bytes) yield [chunk];
}
