import type { FunctionTable } from './functions.ts';
import { goFunctions } from './go-functions.ts';
import { parseTemplate } from './parse-template.ts';
import { renderTemplate } from './render.ts';
import { dictionaryFunctions } from './sprig/dictionaries.ts';
import { encodingFunctions } from './sprig/encodings.ts';
import { expressionFunctions } from './sprig/expressions.ts';
import { listFunctions } from './sprig/lists.ts';
import { numberFunctions } from './sprig/numbers.ts';
import { textFunctions } from './sprig/texts.ts';
import type { Dictionary } from './values.ts';

export { type Dictionary, type Value, isDictionary } from './values.ts';

const functions: FunctionTable = {
  ...textFunctions,
  ...listFunctions,
  ...dictionaryFunctions,
  ...numberFunctions,
  ...encodingFunctions,
  ...expressionFunctions,
  ...goFunctions,
};

/** The functions that templates have, by name. */
export const functionNames: readonly string[] = Object.keys(functions).toSorted();

/**
 * Renders a template in the language of Go's text/template with Sprig's hermetic functions (acr-tasks 2). What is missing
 * renders as nothing. Work and output are bounded.
 * @throws TaskFileError with line and column
 */
export function render(source: string, data: Dictionary): string {
  if (!source.includes('{{')) return source;
  const template = parseTemplate(source, (name) => Object.hasOwn(functions, name));
  return renderTemplate({ source, template, functions, data });
}
