import { type Outbound, type OutboundAnswer, OutboundError } from '../../platform/outbound/index.ts';
import { commitIn, refParts } from './model.ts';
import { PktLineError, type PktLine, readPktLines, writePktLine } from './pkt-lines.ts';

/** What a server may answer with: some hundred thousand refs. */
const maxBytes = 32 * 2 ** 20;
const totalMs = 60_000;

/** A branch or a tag of a repository. */
export interface RemoteRef {
  /** In full. */
  readonly ref: string;
  /** Of an annotated tag the commit that it names. */
  readonly commit: string;
}

export interface RemoteRefs {
  readonly refs: readonly RemoteRef[];
  /** The default branch. Undefined: the server does not tell. */
  readonly head: string | undefined;
}

/** Why a repository could not be looked at, in words that may be shown. */
export class ListRefsError extends Error {
  override readonly name = 'ListRefsError';
}

export interface ListRefsOptions {
  /** Of the repository, without credentials. */
  readonly url: string;
  readonly token: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * Branches and tags of a repository over git's smart HTTP, as `git ls-remote` lists them, by protocol 2 where the server
 * speaks it, which sends no others. @throws ListRefsError
 */
export async function listRefs(outbound: Outbound, options: ListRefsOptions): Promise<RemoteRefs> {
  try {
    return await ask(outbound, options);
  } catch (error) {
    if (error instanceof OutboundError || error instanceof PktLineError) throw new ListRefsError(error.message, { cause: error });
    throw error;
  }
}

async function ask(outbound: Outbound, { url, token, signal }: ListRefsOptions): Promise<RemoteRefs> {
  const base = url.replace(/\/+$/, '');
  const headers = { 'git-protocol': 'version=2', ...(token !== undefined && { authorization: basicOf(token) }) };
  const common = { signal, maxBytes, totalMs };
  const first = await outbound.request({ ...common, url: `${base}/info/refs?service=git-upload-pack`, headers });
  const lines = readPktLines(await bytesOf(first, 'application/x-git-upload-pack-advertisement'));
  const advertised = withoutService(lines);
  if (textOf(advertised[0]) !== 'version 2') return readAdvertisement(advertised);
  const second = await outbound.request({
    ...common,
    url: `${base}/git-upload-pack`,
    method: 'POST',
    headers: {
      ...headers,
      'content-type': 'application/x-git-upload-pack-request',
      accept: 'application/x-git-upload-pack-result',
    },
    body: listRequest(advertised),
  });
  return readList(readPktLines(await bytesOf(second, 'application/x-git-upload-pack-result')));
}

/** Any user name goes with a token at every forge, apart from those that give the name with it. */
function basicOf(token: string): string {
  const pair = token.includes(':') ? token : `x-access-token:${token}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

async function bytesOf(answer: OutboundAnswer, type: string): Promise<Buffer> {
  const { status, url, headers } = answer;
  if (status === 200 && headers['content-type']?.startsWith(type) === true) return answer.bytes();
  answer.discard();
  if (status === 401 || status === 403)
    throw new ListRefsError(
      `${url.host} refuses to show the repository: give the trigger a token that may read it, or a new one`,
    );
  if (status === 404)
    throw new ListRefsError(`${url.host} has no such repository, or shows it to nobody without a token that may read it`);
  if (status === 200)
    throw new ListRefsError(`${url.host} does not answer as a git server does: check the address of the repository`);
  throw new ListRefsError(`${url.host} answers with the status ${status}`);
}

/** Servers of protocol 0 and 1 name the service first. */
function withoutService(lines: readonly PktLine[]): readonly PktLine[] {
  return textOf(lines[0])?.startsWith('# service=') === true ? lines.slice(lines[1] === null ? 2 : 1) : lines;
}

function listRequest(capabilities: readonly PktLine[]): string {
  const format = capabilities.map(textOf).find((line) => line?.startsWith('object-format='));
  const names = ['peel', 'symrefs', 'ref-prefix HEAD', 'ref-prefix refs/heads/', 'ref-prefix refs/tags/'];
  const lines = ['command=ls-refs', 'agent=berth', ...(format === undefined ? [] : [format])].map((line) =>
    writePktLine(`${line}\n`),
  );
  return `${lines.join('')}0001${names.map((line) => writePktLine(`${line}\n`)).join('')}0000`;
}

/** `<id> <ref>[ symref-target:<ref>][ peeled:<id>]` */
function readList(lines: readonly PktLine[]): RemoteRefs {
  const refs: RemoteRef[] = [];
  let head: string | undefined;
  for (const line of lines) {
    const [id, ref = '', ...attributes] = (textOf(line) ?? '').split(' ');
    const value = (name: string) => attributes.find((text) => text.startsWith(name))?.slice(name.length);
    if (ref === 'HEAD') head = refParts(value('symref-target:'))?.name;
    const commit = commitIn(value('peeled:') ?? id);
    if (commit !== undefined && refParts(ref) !== undefined) refs.push({ ref, commit });
  }
  return { refs, head };
}

/** `<id> <ref>`, the first with capabilities behind a zero; a peeled tag follows its tag as `<ref>^{}`. */
function readAdvertisement(lines: readonly PktLine[]): RemoteRefs {
  const refs = new Map<string, string>();
  let head: string | undefined;
  for (const line of lines) {
    const [text = '', capabilities] = (textOf(line) ?? '').split('\0');
    if (capabilities !== undefined) head = refParts(/(?:^| )symref=HEAD:(\S+)/.exec(capabilities)?.[1])?.name;
    const [id, name = ''] = text.split(' ');
    const commit = commitIn(id);
    const ref = name.replace(/\^\{\}$/, '');
    if (commit !== undefined && refParts(ref) !== undefined) refs.set(ref, commit);
  }
  return { refs: [...refs].map(([ref, commit]) => ({ ref, commit })), head };
}

function textOf(line: PktLine | undefined): string | undefined {
  return line?.toString('utf8').replace(/\n$/, '');
}
