import { type MessagePort, parentPort, receiveMessageOnPort } from 'node:worker_threads';
import type { TransactionDefinition } from '../database.ts';
import type { Tables } from '../tables.ts';
import { kyselyOnSqlite, savepointTransactions } from './dialect.ts';
import { encodeFailure, type FromWriter, type ToWriter, type WriteRequest } from './messages.ts';
import { openWriteConnection } from './settings.ts';
import { type BatchWriter, type Definitions, writeBatch } from './write-batch.ts';

/** The writer thread. It owns the only connection that writes, and drains its port into batches. */

/** More per commit gains little and lets the first of a batch wait. */
const batchLimit = 64;

async function loadDefinitions(url: string): Promise<Definitions> {
  const module: unknown = await import(url);
  const list = typeof module === 'object' && module !== null && 'transactions' in module ? module.transactions : undefined;
  if (!Array.isArray(list)) throw new Error(`${url} exports no list named "transactions"`);
  const definitions = new Map<string, TransactionDefinition<never, unknown>>();
  for (const definition of list) {
    if (definitions.has(definition.name)) throw new Error(`two transactions are named "${definition.name}"`);
    definitions.set(definition.name, definition);
  }
  return definitions;
}

function serve(port: MessagePort): void {
  const queue: WriteRequest[] = [];
  let writer: BatchWriter | undefined;
  let isOpening = true;
  let isClosing = false;
  let isRunning = false;
  const send = (message: FromWriter): void => port.postMessage(message);

  const accept = async (message: ToWriter): Promise<void> => {
    switch (message.kind) {
      case 'open':
        try {
          const definitions = await loadDefinitions(message.transactionsModule);
          const connection = openWriteConnection(message.file);
          writer = { connection, definitions, db: kyselyOnSqlite<Tables>(connection, savepointTransactions) };
          send({ kind: 'opened' });
        } catch (error) {
          send({ kind: 'open-failed', failure: encodeFailure(error) });
        }
        isOpening = false;
        break;
      case 'write':
        queue.push(...message.requests);
        break;
      case 'close':
        isClosing = true;
        break;
      case 'end':
        port.close();
        break;
    }
  };

  const drain = async (): Promise<void> => {
    if (isRunning) return;
    isRunning = true;
    while (true) {
      // Whatever arrived during the last commit joins the next batch.
      for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port))
        await accept(next.message);
      if (writer === undefined || queue.length === 0) break;
      const answers = await writeBatch(writer, queue.splice(0, batchLimit));
      answer(send, answers);
    }
    isRunning = false;
    if (isClosing && !isOpening) {
      writer?.connection.close();
      [writer, isOpening, isClosing] = [undefined, true, false];
      send({ kind: 'closed' });
    }
  };

  port.on('message', (message: ToWriter) => {
    accept(message).then(drain, (error: unknown) => {
      throw error;
    });
  });
}

function answer(send: (message: FromWriter) => void, answers: Awaited<ReturnType<typeof writeBatch>>): void {
  try {
    send({ kind: 'answers', answers });
  } catch {
    // One result does not clone: find it, so that the others learn that they were committed.
    for (const single of answers) {
      try {
        send({ kind: 'answers', answers: [single] });
      } catch (error) {
        send({ kind: 'answers', answers: [{ id: single.id, ok: false, failure: encodeFailure(error) }] });
      }
    }
  }
}

if (parentPort === null) throw new Error('writer.ts runs as a worker thread');
serve(parentPort);
