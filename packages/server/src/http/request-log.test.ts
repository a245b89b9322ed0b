import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distribution, replication } from '@berth/api';
import { pino } from 'pino';
import { logRequest } from './request-log.ts';

test('of what other regions ask, only failures stand in the log by default', () => {
  const lines: string[] = [];
  const log = pino(
    { level: 'info' },
    { write: (line: string) => void lines.push((JSON.parse(line) as { operation: string }).operation) },
  );
  const request = (status: number, more: object = {}) => ({
    requestId: 'id',
    operation: 'none',
    method: 'GET',
    status,
    durationMs: 1,
    receivedBytes: 0,
    sentBytes: 0,
    principal: undefined,
    clientAddress: '',
    isBroken: false,
    ...more,
  });
  logRequest(log, request(200, { operation: 'poll' }), replication.followChanges);
  logRequest(log, request(403, { operation: 'refused poll' }), replication.followChanges);
  logRequest(log, request(200, { operation: 'broken poll', isBroken: true }), replication.followChanges);
  logRequest(log, request(200, { operation: 'pull' }), distribution.getManifest);
  logRequest(log, request(404, { operation: 'nothing' }), undefined);
  assert.deepEqual(lines, ['refused poll', 'broken poll', 'pull', 'nothing']);
});
