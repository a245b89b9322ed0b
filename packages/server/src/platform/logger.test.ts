import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger, silentLogger } from './logger.ts';

function collected(format: 'json' | 'text', level: 'info' | 'debug' = 'info') {
  const lines: string[] = [];
  return { log: createLogger({ level, format, region: 'west', destination: { write: (line) => void lines.push(line) } }), lines };
}

test('a line is one JSON object with level, time, region, text and fields', () => {
  const { log, lines } = collected('json');
  log.warn({ part: 'abc', err: new Error('broken') }, 'a part is damaged');
  log.debug('not at this level');
  assert.equal(lines.length, 1);
  const { time, err, ...rest } = JSON.parse(lines[0] ?? '') as { time: string; err: { message: string; stack: string } };
  assert.deepEqual(rest, { level: 'warn', region: 'west', part: 'abc', msg: 'a part is damaged' });
  assert.match(time, /^\d{4}-\d\d-\d\dT/);
  assert.equal(err.message, 'broken');
  assert.match(err.stack, /logger\.test/);
});

test('for people a line is text, with the stack of an error below', () => {
  const { log, lines } = collected('text');
  log.info({ part: 'abc', count: 2 }, 'done');
  log.error({ err: new Error('broken') }, 'failed');
  assert.match(lines[0] ?? '', /^\d\d:\d\d:\d\d info {2}done {2}part=abc count=2\n$/);
  assert.match(lines[1] ?? '', /^\d\d:\d\d:\d\d error failed\n {9}Error: broken\n {9} +at /);
});

test('the silent logger says nothing', () => {
  silentLogger().error('unheard');
});
