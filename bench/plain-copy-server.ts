import { randomFillSync } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createServer } from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';

const chunkBytes = 1 << 20;
const { path, bytes } = workerData as { readonly path: string; readonly bytes: number };

const file = await open(path, 'wx');
const chunk = randomFillSync(Buffer.allocUnsafe(chunkBytes));
for (let left = bytes; left > 0; left -= chunkBytes) await file.write(chunk, 0, Math.min(left, chunkBytes));
await file.sync();
await file.close();

const server = createServer((_, answer) => {
  answer.writeHead(200, { 'content-length': bytes });
  createReadStream(path, { highWaterMark: chunkBytes }).pipe(answer);
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  parentPort?.postMessage(address === null || typeof address === 'string' ? 0 : address.port);
});
