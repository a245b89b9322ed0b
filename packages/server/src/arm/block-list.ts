import { BlobRefusal } from './blob-refusal.ts';

/** Azure Storage takes ids of 64 bytes at the most, in base64. */
const idPattern = /^[A-Za-z0-9+/]{1,88}={0,2}$/;
const maxBlocks = 50_000;
const head = /^\uFEFF?\s*(?:<\?xml[^<>]{0,200}\?>)?\s*<BlockList>/;
const entry = /\s*<(Latest|Uncommitted)>([^<]{1,128})<\/\1>/y;
const tail = /\s*<\/BlockList>\s*$/y;

/** The ids that a `Put Block List` joins, in its order. Committed blocks there are none of. @throws BlobRefusal */
export function parseBlockList(document: string): readonly string[] {
  const beginning = head.exec(document);
  if (beginning === null) throw new BlobRefusal('InvalidXmlDocument', 'The body must be a BlockList.');
  const ids: string[] = [];
  let at = beginning[0].length;
  for (;;) {
    entry.lastIndex = at;
    const found = entry.exec(document);
    if (found === null) break;
    if (ids.length === maxBlocks) throw new BlobRefusal('InvalidBlockList', `A list has ${maxBlocks} blocks at the most.`);
    ids.push(requireBlockId(found[2] ?? null));
    at = entry.lastIndex;
  }
  tail.lastIndex = at;
  if (!tail.test(document)) throw new BlobRefusal('InvalidXmlDocument', 'The body must be a BlockList of Latest entries.');
  return ids;
}

/** @throws BlobRefusal */
export function requireBlockId(id: string | null): string {
  if (id === null || !idPattern.test(id))
    throw new BlobRefusal('InvalidBlockId', 'An id of a block must be base64 of at most 64 bytes.');
  return id;
}
