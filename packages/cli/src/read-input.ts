import { CommandError } from './command-error.ts';

const maxBytes = 1024 * 1024;

/** The standard input, whole. @param wanted what it is, for messages @throws CommandError when it is a terminal, or too much */
export async function readInput(wanted: string): Promise<Buffer> {
  if (process.stdin.isTTY) throw new CommandError(`${wanted} is read from the standard input, which is a terminal`, 'pipe it in');
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new CommandError(`${wanted} on the standard input has more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
