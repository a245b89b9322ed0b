import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { LogRecord } from '@berth/api';
import fc from 'fast-check';
import { cutLine } from './cut-line.ts';
import { Masks } from './masks.ts';
import { plainText } from './plain-text.ts';
import { RunLog } from './run-log.ts';

describe('masking', () => {
  const secret = 'p4ss/w0rd+of=some:length?';
  const forms: readonly (readonly [string, string])[] = [
    ['as it is', secret],
    ['base64', Buffer.from(secret).toString('base64')],
    ['base64url', Buffer.from(secret).toString('base64url')],
    ['base64 with a line end', Buffer.from(`${secret}\n`).toString('base64')],
    ['URL-encoded', encodeURIComponent(secret)],
    ['form-encoded', new URLSearchParams({ a: secret }).toString().slice(2)],
    ['in JSON', JSON.stringify(secret).slice(1, -1)],
    ['hexadecimal', Buffer.from(secret).toString('hex')],
  ];
  for (const [name, form] of forms) {
    test(`attack 31: hides a secret ${name}`, () => {
      const masks = new Masks();
      masks.add(secret);
      assert.equal(masks.apply(`before ${form} after ${form}`), 'before *** after ***');
    });
  }

  test('attack 31: hides the password of a sign-in in base64', () => {
    for (const user of ['a', 'ab', 'abc', '$agent']) {
      const masks = new Masks();
      masks.add(secret);
      const shown = masks.apply(Buffer.from(`${user}:${secret}`).toString('base64'));
      assert.ok(shown.includes('***'), shown);
      assert.ok(
        !Buffer.from(shown.split('***')[0] ?? '', 'base64')
          .toString()
          .includes(secret.slice(0, 4)),
      );
    }
  });

  test('hides each line of several, the longest first, and nothing for short ones', () => {
    const masks = new Masks();
    masks.add('-----BEGIN KEY-----\r\nMIIabcdef\nab\n-----END KEY-----\n');
    masks.add('MIIabcdefgh');
    masks.add('x');
    masks.add('');
    masks.add('   ');
    assert.equal(masks.apply('MIIabcdef MIIabcdefgh ab x'), '*** *** ab x');
    assert.equal(masks.apply('-----BEGIN KEY-----'), '***');
  });

  test('takes every text as it is, not as a pattern', () => {
    fc.assert(
      fc.property(
        fc
          .string({ minLength: 4, maxLength: 40 })
          .filter((text) => text.trim() === text && !/[\r\n]/.test(text) && text.length >= 4),
        (text) => {
          const masks = new Masks();
          masks.add(text);
          assert.equal(masks.apply(`>${text}<`), '>***<');
          assert.equal(masks.apply(''), '');
        },
      ),
    );
  });
});

describe('plain text', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['\u001B[1;31mred\u001B[0m', 'red'],
    ['\u001B]0;title\u0007text', 'text'],
    ['\u001B]8;;http://evil\u001B\\link\u001B]8;;\u001B\\', 'link'],
    ['\u001B]52;c;ZXZpbA==\u0007', ''],
    ['a\u001BPq#0;2;0;0;0\u001B\\b', 'ab'],
    ['\u009B2Jx', 'x'],
    ['\u001Bcreset', 'reset'],
    ['tab\tstays', 'tab\tstays'],
    ['bell\u0007 null\u0000 back\b', 'bell null back'],
    ['\u202Eevil', 'evil'],
    ['\u001B]never ended', ''],
    ['half \uD800 pair', 'half \uFFFD pair'],
    ['grüße 世界 🚀', 'grüße 世界 🚀'],
  ];
  for (const [line, plain] of cases) test(`attack 34: ${JSON.stringify(line)}`, () => assert.equal(plainText(line), plain));

  test('attack 34: whatever comes, no control character but the tab stays', () => {
    const char = fc.oneof(
      fc.constantFrom('\u001B', '[', ']', 'm', ';', '\u0007', '\u009B', '\\', '1', '\t'),
      fc.string({ unit: 'binary', maxLength: 3 }),
    );
    fc.assert(
      fc.property(fc.array(char, { maxLength: 30 }), (chars) => {
        assert.doesNotMatch(plainText(chars.join('')), /[[\p{Cc}]--[\t]]/v);
      }),
    );
  });
});

test('long lines are cut into pieces that together are the line', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', minLength: 0, maxLength: 50 }),
      fc.integer({ min: 1, max: 3000 }),
      (text, times) => {
        const line = text.repeat(times).slice(0, 200_000).toWellFormed();
        const pieces = cutLine(line);
        assert.equal(pieces.join(''), line);
        for (const piece of pieces) {
          assert.ok(Buffer.byteLength(piece) <= 16 * 1024);
          assert.ok(piece.isWellFormed());
        }
      },
    ),
    { numRuns: 30 },
  );
  assert.equal(cutLine('🚀'.repeat(5000)).length, 2);
});

describe('the log of a run', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'berth-log-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const open = (outputBytes = 2 ** 30): { log: RunLog; full: () => number } => {
    let full = 0;
    const log = new RunLog({
      file: join(folder, 'waiting'),
      from: 0,
      outputBytes,
      now: () => 5,
      onFull: () => (full += 1),
      onRecord: () => {},
    });
    return { log, full: () => full };
  };

  const drain = (log: RunLog): readonly LogRecord[] => {
    const all: LogRecord[] = [];
    while (!log.isEmpty) {
      const { from, records } = log.next();
      assert.equal(from, all.length);
      assert.ok(records.length > 0 && records.length <= 500);
      assert.ok(Buffer.byteLength(JSON.stringify(records)) < 700_000);
      all.push(...records);
      log.drop(records.length);
    }
    return all;
  };

  test('keeps the order of a hundred thousand lines, most of them on disk', () => {
    const { log } = open();
    const line = (at: number): string => `${at} ${'x'.repeat(at % 200)}`;
    let taken: LogRecord[] = [];
    for (let at = 0; at < 100_000; at += 1) {
      log.add('step', 'stdout', line(at));
      // Sometimes a batch goes while lines come.
      if (at % 9_973 === 0) {
        const { records } = log.next();
        taken = [...taken, ...records];
        log.drop(records.length);
      }
    }
    const before = taken.length;
    const { from } = log.next();
    assert.equal(from, before);
    while (!log.isEmpty) {
      const { records } = log.next();
      taken.push(...records);
      log.drop(records.length);
    }
    assert.equal(taken.length, 100_000);
    taken.forEach(({ text }, at) => assert.equal(text, line(at)));
    log.add('step', 'stdout', 'again');
    assert.equal(log.next().from, 100_000);
    log.close();
  });

  test('masks, cleans, and cuts before anything is kept', () => {
    const { log } = open();
    log.mask('s3cret');
    log.add('', 'agent', 'one \u001B[1ms3c\u001B[0mret\r\ntwo');
    log.add('b', 'stderr', 'y'.repeat(40_000));
    assert.equal(
      log.clean('failed: \u001B[1ms3cret\u001B[0m\r\nlast\rline\n'),
      'failed: ***\nlastline\n',
      'a message keeps its lines',
    );
    const records = drain(log);
    assert.deepEqual(records.slice(0, 2), [
      { time: 5, step: '', stream: 'agent', text: 'one ***' },
      { time: 5, step: '', stream: 'agent', text: 'two' },
    ]);
    assert.equal(records.length, 5);
    log.close();
  });

  test('attack 34: endless output ends with a line that says so', () => {
    const { log, full } = open(1000);
    for (let at = 0; at < 100; at += 1) log.add('s', 'stdout', 'x'.repeat(99));
    const records = drain(log);
    assert.equal(full(), 1);
    assert.equal(records.length, 11);
    assert.match(records.at(-1)?.text ?? '', /longer than the 1000 bytes .* is stopped/);
    log.close();
  });
});
