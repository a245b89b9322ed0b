import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Asking } from './asking.ts';

function questions() {
  const asked: ((isFound: boolean) => void)[] = [];
  const question = (): Promise<boolean> => new Promise((resolve) => void asked.push(resolve));
  return { asked, question };
}

test('what is found is shared by all who asked meanwhile', async () => {
  const { asked, question } = questions();
  const asking = new Asking(8);
  const all = [asking.ask('a', question), asking.ask('a', question), asking.ask('a', question)];
  asked[0]?.(true);
  assert.deepEqual(await Promise.all(all), [true, true, true]);
  assert.equal(asked.length, 1);
});

test('a miss is not shared with those who came after it was asked: they ask once more, together', async () => {
  const { asked, question } = questions();
  const asking = new Asking(8);
  const first = asking.ask('a', question);
  const others = [asking.ask('a', question), asking.ask('a', question)];
  asked[0]?.(false);
  assert.equal(await first, false);
  await Promise.resolve();
  asked[1]?.(true);
  assert.deepEqual(await Promise.all(others), [true, true]);
  assert.equal(asked.length, 2);
});

test('there are only so many questions at once', async () => {
  const { asked, question } = questions();
  const asking = new Asking(1);
  const first = asking.ask('a', question);
  assert.equal(await asking.ask('b', question), false);
  asked[0]?.(true);
  assert.equal(await first, true);
});
