import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBlockList, requireBlockId } from './block-list.ts';

const idOf = (number: number): string => Buffer.from(String(number).padStart(32, '0')).toString('base64');

test('a list of blocks is read in its order', () => {
  const ids = [2, 0, 1].map(idOf);
  const entries = ids.map((id) => `<Latest>${id}</Latest>`).join('');
  for (const document of [
    `<?xml version='1.0' encoding='utf-8'?>\n<BlockList>${entries}</BlockList>`,
    `<BlockList>\r\n ${entries.replaceAll('Latest', 'Uncommitted')}\r\n</BlockList>\n`,
  ])
    assert.deepEqual(parseBlockList(document), ids);
  assert.deepEqual(parseBlockList('<BlockList></BlockList>'), []);
});

test('anything else is refused', () => {
  for (const document of [
    '',
    '<BlockList>',
    '<BlockList><Latest>QQ==</BlockList>',
    '<BlockList><Committed>QQ==</Committed></BlockList>',
    '<BlockList><Latest>QQ==</Uncommitted></BlockList>',
    '<BlockList><Latest>QQ==</Latest></BlockList><more/>',
    '<!DOCTYPE a [<!ENTITY x "y">]><BlockList><Latest>&x;</Latest></BlockList>',
  ])
    assert.throws(() => parseBlockList(document), { name: 'BlobRefusal' }, document);
  for (const id of [null, '', '../a', 'A'.repeat(89), '<']) assert.throws(() => requireBlockId(id), { code: 'InvalidBlockId' });
  assert.throws(() => parseBlockList(`<BlockList>${'<Latest>QQ==</Latest>'.repeat(50_001)}</BlockList>`), {
    code: 'InvalidBlockList',
  });
});

test('attack 43: much white space takes no more time than little', () => {
  const started = process.cpuUsage();
  assert.throws(() => parseBlockList(`<BlockList>${' '.repeat(2_000_000)}<`));
  const { user } = process.cpuUsage(started);
  assert.ok(user < 2_000_000, `${user} µs`);
});
