import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RegistryError } from '../errors/index.ts';
import { parseDuration } from './durations.ts';

const hourMs = 3_600_000;

test('durations are written as acr purge takes them', () => {
  const cases = {
    '30d': 720 * hourMs,
    '3h': 3 * hourMs,
    '1d3h15m': 27.25 * hourMs,
    '90m': 1.5 * hourMs,
    '2d3h6m': 51.1 * hourMs,
    '0d': 0,
    '45s': 45_000,
  };
  for (const [text, ms] of Object.entries(cases)) assert.equal(parseDuration(text, 'ago'), ms, text);
});

test('what is no duration is refused, and the message names the field and an example', () => {
  for (const text of ['', '30', 'd', '-1d', '1w', '3h1d', '1d 3h', '1.5d', '1D', 'forever', '30d\n']) {
    assert.throws(
      () => parseDuration(text, 'ago'),
      (error) =>
        error instanceof RegistryError &&
        error.error === 'INVALID_PARAMETER' &&
        /^ago: ".*" is no duration.*1d3h15m$/s.test(error.message),
      text,
    );
  }
  assert.throws(() => parseDuration('54751d', 'ago'), /longer than 150 years/);
  assert.equal(parseDuration('54750d', 'ago'), 54_750 * 24 * hourMs);
});
