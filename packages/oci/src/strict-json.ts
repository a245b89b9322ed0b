import { OciError } from './oci-error.ts';

/** Deeper nesting than any manifest has, far below what would exhaust a stack. */
const maxDepth = 32;

const quote = 0x22;
const backslash = 0x5c;

/**
 * Parses JSON that two readers cannot understand in two ways: valid UTF-8, no NUL, no key twice in one object (the
 * class of GHSA-qq97-vm5h-rrhg), bounded depth. `JSON.parse` checks the grammar; a scan of the text finds the rest.
 * @throws OciError MANIFEST_INVALID
 */
export function parseStrictJson(bytes: Uint8Array): unknown {
  const text = decode(bytes);
  checkDepth(text);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid('the manifest is not valid JSON');
  }
  checkKeys(text);
  return value;
}

function decode(bytes: Uint8Array): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw invalid('the manifest is not valid UTF-8');
  }
  if (text.includes('\0')) throw invalid('the manifest holds a NUL byte');
  return text;
}

/** Before `JSON.parse`: the text may be anything. */
function checkDepth(text: string): void {
  let depth = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === quote) index = endOfString(text, index);
    else if (code === 0x7b || code === 0x5b) {
      depth += 1;
      if (depth > maxDepth) throw invalid(`the manifest is nested deeper than ${maxDepth} levels`);
    } else if (code === 0x7d || code === 0x5d) depth -= 1;
  }
}

/** After `JSON.parse`: the grammar holds, so a string followed by a colon is a key of the innermost object. */
function checkKeys(text: string): void {
  const levels: (Set<string> | undefined)[] = [];
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === 0x7b) levels.push(new Set());
    else if (code === 0x5b) levels.push(undefined);
    else if (code === 0x7d || code === 0x5d) levels.pop();
    else if (code === quote) {
      const end = endOfString(text, index);
      const keys = levels.at(-1);
      if (keys !== undefined && isColonNext(text, end + 1)) addKey(keys, text.slice(index, end + 1));
      index = end;
    }
  }
}

function addKey(keys: Set<string>, literal: string): void {
  const key: unknown = literal.includes('\\') ? JSON.parse(literal) : literal.slice(1, -1);
  if (typeof key !== 'string') return;
  if (keys.has(key)) throw invalid(`the manifest has the key ${JSON.stringify(key.slice(0, 80))} twice in one object`);
  keys.add(key);
}

function endOfString(text: string, start: number): number {
  let end = start;
  for (;;) {
    end = text.indexOf('"', end + 1);
    if (end === -1) return text.length;
    let escapes = 0;
    while (text.charCodeAt(end - 1 - escapes) === backslash) escapes += 1;
    if (escapes % 2 === 0) return end;
  }
}

function isColonNext(text: string, start: number): boolean {
  let index = start;
  while (index < text.length && text.charCodeAt(index) <= 0x20) index += 1;
  return text.charCodeAt(index) === 0x3a;
}

function invalid(message: string): OciError {
  return new OciError('MANIFEST_INVALID', message);
}
