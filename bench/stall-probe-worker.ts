import { connect } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

/** Asks `/v2/` every few milliseconds until it is told to stop; then reports how long each answer took. */

const pauseMs = 5;
const { host, hostname, port } = workerData as { host: string; hostname: string; port: string };
const times: number[] = [];
let isStopping = false;
let asked = 0;

const socket = connect({ host: hostname, port: Number(port), noDelay: true });
const ask = (): void => {
  asked = performance.now();
  socket.write(`GET /v2/ HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
};
socket.on('connect', ask);
socket.on('data', () => {
  times.push(performance.now() - asked);
  if (isStopping) socket.end();
  else setTimeout(ask, pauseMs);
});
socket.on('close', () => parentPort?.postMessage(times));
parentPort?.once('message', () => {
  isStopping = true;
});
