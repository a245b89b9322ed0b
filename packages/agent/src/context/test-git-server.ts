import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { json } from 'node:stream/consumers';

const environment = {
  PATH: process.env['PATH'] ?? '',
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@example.com',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@example.com',
  GIT_ALLOW_PROTOCOL: 'file',
};

/** A repository on disk that tests write to. */
export class TestRepository {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
    this.git('init', '--quiet', '--initial-branch=main');
    this.git('config', 'uploadpack.allowAnySHA1InWant', 'true');
    this.git('config', 'http.receivepack', 'false');
  }

  git(...args: readonly string[]): string {
    return execFileSync('git', args, {
      cwd: this.folder,
      env: environment,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim();
  }

  /** Returns the commit. */
  commit(files: Readonly<Record<string, string>>): string {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.folder, name)), { recursive: true });
      writeFileSync(join(this.folder, name), text);
    }
    this.git('add', '--all');
    this.git('commit', '--quiet', '--allow-empty', '--message=m');
    return this.git('rev-parse', 'HEAD');
  }
}

export interface TestGitServer {
  readonly origin: string;
  readonly requests: readonly { readonly url: string; readonly authorization: string | undefined }[];
  stop(): Promise<void>;
}

export interface TestGitServerOptions {
  /** `user:password` that it wants; by default none. */
  readonly credentials?: string;
  /** Everything is answered by a redirect to this origin. */
  readonly redirectTo?: string;
  /** What it keeps in LFS, by SHA-256. */
  readonly largeFiles?: ReadonlyMap<string, string>;
}

/** Git's own server program behind HTTP, for the repositories of a folder. */
export async function startGitServer(
  folder: string,
  { credentials, redirectTo, largeFiles = new Map() }: TestGitServerOptions = {},
): Promise<TestGitServer> {
  const requests: { url: string; authorization: string | undefined }[] = [];
  const server = createServer((request, response) => {
    const { authorization } = request.headers;
    requests.push({ url: request.url ?? '', authorization });
    if (redirectTo !== undefined) response.writeHead(302, { Location: `${redirectTo}${request.url}` }).end();
    else if (credentials !== undefined && authorization !== `Basic ${Buffer.from(credentials).toString('base64')}`)
      response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="git"' }).end();
    else if (/\/lfs\//.test(request.url ?? '')) void serveLarge(largeFiles, request, response);
    else serve(folder, request, response);
  });
  await listen(server);
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function listen(server: Server): Promise<void> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
}

/** The part of the LFS API that downloads (basic transfers). */
async function serveLarge(files: ReadonlyMap<string, string>, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === 'GET') {
    const file = files.get(request.url?.split('/').at(-1) ?? '');
    response.writeHead(file === undefined ? 404 : 200).end(file);
    return;
  }
  const asked = (await json(request)) as { readonly objects: readonly { readonly oid: string; readonly size: number }[] };
  const objects = asked.objects.map(({ oid, size }) =>
    files.has(oid)
      ? { oid, size, actions: { download: { href: `http://${request.headers.host}/lfs/${oid}` } } }
      : { oid, size, error: { code: 404, message: 'there is no such file' } },
  );
  response.writeHead(200, { 'Content-Type': 'application/vnd.git-lfs+json' });
  response.end(JSON.stringify({ transfer: 'basic', objects }));
}

/** CGI, as RFC 3875 has it. */
function serve(folder: string, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '', 'http://x');
  const child = spawn('git', ['http-backend'], {
    env: {
      ...environment,
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      ...(request.headers['content-encoding'] !== undefined && { HTTP_CONTENT_ENCODING: request.headers['content-encoding'] }),
      ...(request.headers['git-protocol'] !== undefined && { GIT_PROTOCOL: String(request.headers['git-protocol']) }),
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  child.stdin.on('error', () => {});
  request.pipe(child.stdin);
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.on('close', () => {
    const all = Buffer.concat(chunks);
    const end = all.indexOf('\r\n\r\n');
    const headers = all
      .toString('latin1', 0, end)
      .split('\r\n')
      .map((line) => line.split(/: (.*)/s));
    for (const [name = '', value = ''] of headers) {
      if (name === 'Status') response.statusCode = Number.parseInt(value, 10);
      else response.setHeader(name, value);
    }
    response.end(all.subarray(end + 4));
  });
}
