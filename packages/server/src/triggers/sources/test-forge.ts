import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';

/** A call of the forge's API. */
export interface ForgeRequest {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: unknown;
}

/** A forge on this machine: a real repository behind `git http-backend`, and an API that keeps what it is told. */
export interface TestForge {
  /** Of the repository. */
  readonly repository: string;
  readonly calls: ForgeRequest[];
  /** What the API answers; default: 201 with an id. */
  answer: (call: ForgeRequest) => { readonly status: number; readonly body: unknown };
  /** Requests of git must come with this. */
  token: string | undefined;
  /** Protocol that the git server speaks at the most. */
  protocol: 0 | 2;
  /** Commits a file and pushes it. Answers with the commit. */
  commit(branch: string, files: Readonly<Record<string, string>>, message?: string): Promise<string>;
  /** Runs git in a work tree of the repository. */
  git(...args: readonly string[]): Promise<string>;
}

const run = promisify(execFile);
const identity = {
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@example.com',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@example.com',
};
const quiet = { PATH: process.env['PATH'], GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', ...identity };

export async function startTestForge(t: TestContext): Promise<TestForge> {
  const root = await mkdtemp(join(tmpdir(), 'berth-forge-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const [bare, work] = [join(root, 'served', 'acme', 'app.git'), join(root, 'work')];
  const git = async (...args: readonly string[]) => (await run('git', ['-C', work, ...args], { env: quiet })).stdout.trim();
  await run('git', ['init', '-q', '--bare', '-b', 'main', bare], { env: quiet });
  await run('git', ['init', '-q', '-b', 'main', work], { env: quiet });
  await git('remote', 'add', 'origin', bare);
  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  let ids = 100;
  const forge: TestForge = {
    repository: `http://127.0.0.1:${port}/acme/app.git`,
    calls: [],
    answer: ({ method }) => (method === 'GET' ? { status: 200, body: [] } : { status: 201, body: { id: (ids += 1) } }),
    token: undefined,
    protocol: 2,
    git,
    commit: async (branch, files, message = 'Change it') => {
      await git('checkout', '-q', '-B', branch);
      for (const [name, content] of Object.entries(files)) {
        await mkdir(dirname(join(work, name)), { recursive: true });
        await writeFile(join(work, name), content);
      }
      await git('add', '--all');
      await git('commit', '-q', '--allow-empty', '-m', message);
      await git('push', '-q', '--force', 'origin', branch);
      return git('rev-parse', 'HEAD');
    },
  };
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url ?? '';
    if (path.startsWith('/api/')) {
      const body = (await request.toArray()).map(String).join('');
      const call = {
        method: request.method ?? '',
        path,
        authorization: credentialOf(request),
        body: body === '' ? null : JSON.parse(body),
      };
      forge.calls.push(call);
      const answer = forge.answer(call);
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
      return;
    }
    const given = Buffer.from((request.headers.authorization ?? '').replace(/^Basic /, ''), 'base64').toString();
    if (forge.token !== undefined && given !== `x-access-token:${forge.token}`) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
      return;
    }
    backend(request, response, { root: join(root, 'served'), protocol: forge.protocol });
  };
  return forge;
}

function credentialOf({ headers }: IncomingMessage): string | undefined {
  return headers.authorization ?? (headers['private-token'] as string | undefined);
}

/** `git http-backend` speaks CGI: headers, an empty line, the body. */
function backend(
  request: IncomingMessage,
  response: ServerResponse,
  { root, protocol }: { readonly root: string; readonly protocol: 0 | 2 },
): void {
  const url = new URL(request.url ?? '', 'http://localhost');
  const child = spawn('git', ['http-backend'], {
    env: {
      ...quiet,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      CONTENT_LENGTH: request.headers['content-length'] ?? '',
      REMOTE_ADDR: '127.0.0.1',
      ...(protocol === 2 && { GIT_PROTOCOL: String(request.headers['git-protocol'] ?? '') }),
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  request.pipe(child.stdin);
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.on('close', () => {
    const output = Buffer.concat(chunks);
    const end = output.indexOf('\r\n\r\n');
    const lines = output.toString('latin1', 0, end).split('\r\n');
    const headers = lines.map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]);
    const status = Number.parseInt(headers.find(([name]) => name === 'Status')?.[1] ?? '200', 10);
    response.writeHead(status, Object.fromEntries(headers.filter(([name]) => name !== 'Status'))).end(output.subarray(end + 4));
  });
}
