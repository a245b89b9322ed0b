import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLateMetrics } from './late-metrics.ts';
import { createMetrics } from './metrics.ts';

const request = { operation: 'get-blob', method: 'GET', status: 200, durationMs: 12, receivedBytes: 0, sentBytes: 1000 };

test('requests, bytes and the values of others come out in the Prometheus format', async () => {
  const metrics = createMetrics({ version: '1.2.3', region: 'west' });
  metrics.observeRequest(request);
  metrics.observeRequest({
    operation: 'send-chunk',
    method: 'PATCH',
    status: 202,
    durationMs: 700,
    receivedBytes: 500,
    sentBytes: 0,
  });
  let waiting = 3;
  metrics.gauge('berth_test_gauge', 'A gauge.', async () => waiting);
  metrics.counter('berth_test_total', 'A counter.', () => waiting);
  waiting = 5;
  const { text, contentType } = await metrics.scrape();
  assert.match(contentType, /^text\/plain; version=/);
  for (const line of [
    'berth_info{version="1.2.3",region="west"} 1',
    'berth_requests_total{operation="get-blob",status="200"} 1',
    'berth_request_duration_seconds_bucket{le="0.02",operation="get-blob",method="GET"} 1',
    'berth_request_duration_seconds_bucket{le="0.5",operation="send-chunk",method="PATCH"} 0',
    'berth_received_bytes_total 500',
    'berth_sent_bytes_total 1000',
    'berth_test_gauge 5',
    'berth_test_total 5',
  ]) {
    assert.ok(text.includes(`${line}\n`), line);
  }
  assert.match(text, /process_resident_memory_bytes \d+/);
  assert.ok((await metrics.scrape()).text.includes('berth_test_total 5\n'), 'a scrape changes nothing');
});

test('what is measured before the library is there is not lost', async () => {
  let loads = 0;
  const metrics = createLateMetrics(async () => {
    loads += 1;
    return createMetrics({ version: '1.2.3', region: 'west' });
  });
  metrics.observeRequest(request);
  metrics.gauge('berth_test_gauge', 'A gauge.', () => 7);
  metrics.counter('berth_test_total', 'A counter.', () => 8);
  await metrics.load();
  metrics.observeRequest(request);
  const { text } = await metrics.scrape();
  for (const line of ['berth_requests_total{operation="get-blob",status="200"} 2', 'berth_test_gauge 7', 'berth_test_total 8'])
    assert.ok(text.includes(`${line}\n`), line);
  assert.equal(loads, 1);
});
