import { createHash } from 'node:crypto';
import { exceptionIds, licenceIds } from './licence-ids.ts';

/** Words of a package for its licence that no list has, as SPDX documents hold them. */
export interface QuotedLicence {
  readonly licenseId: string;
  readonly extractedText: string;
  readonly name: string;
}

/** Turns what packages say of their licences into expressions that SPDX takes. What it cannot read it quotes. */
export class DeclaredLicences {
  readonly #quoted = new Map<string, QuotedLicence>();

  get quoted(): readonly QuotedLicence[] {
    return [...this.#quoted.values()];
  }

  expressionOf(text: string | undefined): string {
    if (text === undefined) return 'NOASSERTION';
    return isExpression(text.match(/[()]|[^\s()]+/g) ?? []) ? text : this.#quote(text);
  }

  #quote(text: string): string {
    const licenseId = `LicenseRef-${createHash('sha256').update(text).digest('hex').slice(0, 16)}`;
    this.#quoted.set(licenseId, { licenseId, extractedText: text, name: text });
    return licenseId;
  }
}

const maxWords = 100;

/** `licence (AND|OR licence)*`, where a licence may be one in brackets, and may have an exception. */
function isExpression(words: readonly string[]): boolean {
  let depth = 0;
  let isOperand = true;
  if (words.length > maxWords) return false;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (isOperand) {
      if (word === '(') depth += 1;
      else if (licenceIds.has(word.replace(/\+$/, ''))) isOperand = false;
      else return false;
    } else if (word === 'AND' || word === 'OR') isOperand = true;
    else if (word === ')' && depth > 0) depth -= 1;
    else if (word === 'WITH' && words[at - 1] !== ')' && words[at - 2] !== 'WITH' && exceptionIds.has(words[at + 1] ?? ''))
      at += 1;
    else return false;
  }
  return !isOperand && depth === 0;
}
