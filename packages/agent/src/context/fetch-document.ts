import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { relative, resolve, sep } from 'node:path';
import { httpGet, shownUrl } from './http-get.ts';
import { readBody } from './save-body.ts';
import { SourceError } from './source-error.ts';

const timeoutMs = 2_000;
const maxBytes = 256 * 1024;

/** A small document: a file of the workspace, or one from an address that answers within two seconds. @throws SourceError */
export async function fetchDocument(name: string, workspace: string, signal: AbortSignal): Promise<string> {
  if (!/^https?:\/\//i.test(name)) return readFile(name, workspace);
  if (!URL.canParse(name)) throw new SourceError(`${JSON.stringify(name.slice(0, 200))} is no address`);
  const url = new URL(name);
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  try {
    return (await readBody(await httpGet(url, { signal: inTime }), maxBytes)).toString('utf8');
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof SourceError) throw new SourceError(`${shownUrl(url)}: ${error.message}`, { cause: error });
    const why = inTime.aborted ? `does not answer within ${timeoutMs / 1000} s` : (error as Error).message;
    throw new SourceError(`${shownUrl(url)}: ${why}. Put the file into the source instead`, { cause: error });
  }
}

async function readFile(name: string, workspace: string): Promise<string> {
  const root = await realpath(workspace);
  const real = await realpath(resolve(root, name.replace(/^(?:[A-Za-z]:)?[\\/]workspace(?=$|[\\/])[\\/]?/, ''))).catch(
    () => undefined,
  );
  if (real === undefined) throw new SourceError(`the file ${name} is not in the source: check its name, or add it`);
  const below = relative(root, real);
  if (below === '..' || below.startsWith(`..${sep}`) || resolve(below) === below)
    throw new SourceError(`the file ${name} leads out of the source: name one inside`);
  // A named pipe would wait for its other end.
  const file = await open(real, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const facts = await file.stat();
    if (!facts.isFile()) throw new SourceError(`${name} is no file`);
    if (facts.size > maxBytes) throw new SourceError(`the file ${name} has more than ${maxBytes} bytes`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}
