import { type Value, isList, kindOf, numberText, textOf } from './values.ts';

const directive = /%([-+# 0]*)(\d+|\*)?(?:\.(\d+|\*)?)?([a-zA-Z%])/g;
/** Wider than a line of any log. */
const maxWidth = 10_000;

/**
 * Go's `printf`, for the verbs that make sense of JSON: %v %s %q %d %t %f %e %g %x %X %o %b %c %U %T and %%, with flags,
 * width and precision. What does not fit is shown as Go shows it, `%!d(string=x)`.
 */
export function formatText(format: string, values: readonly Value[]): string {
  let next = 0;
  const take = (): Value | undefined => {
    next += 1;
    return values[next - 1];
  };
  const text = format.replaceAll(directive, (...found: string[]) => {
    const [whole = '', flags = '', width, precision, verb = ''] = found;
    if (verb === '%') return '%';
    const wide = numberOf(width, take);
    const precise = whole.includes('.') ? (numberOf(precision, take) ?? 0) : undefined;
    const value = take();
    if (value === undefined) return `%!${verb}(MISSING)`;
    const shape = { flags, width: wide, isNumber: typeof value === 'number' };
    return pad(formatOne(verb, value, { flags, precision: precise }), shape);
  });
  const left = values.slice(next);
  return left.length === 0 ? text : `${text}%!(EXTRA ${left.map((value) => `${goType(value)}=${shown(value)}`).join(', ')})`;
}

function numberOf(text: string | undefined, take: () => Value | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = text === '*' ? take() : Number(text);
  if (typeof value !== 'number' || value > maxWidth)
    throw new Error(`has a width or precision that is no number below ${maxWidth}`);
  return value;
}

interface Form {
  readonly flags: string;
  readonly precision: number | undefined;
}

function formatOne(verb: string, value: Value, { flags, precision }: Form): string {
  const sign = flags.includes('+') && typeof value === 'number' && value >= 0 ? '+' : '';
  switch (verb) {
    case 'v':
      return sign + shown(value);
    case 'T':
      return goType(value);
    case 's':
      return typeof value === 'number' || typeof value === 'boolean' ? wrong(verb, value) : cut(shown(value), precision);
    case 'q':
      return typeof value === 'string'
        ? quoted(cut(value, precision))
        : isList(value)
          ? `[${value.map((each) => quoted(textOf(each))).join(' ')}]`
          : wrong(verb, value);
    case 't':
      return typeof value === 'boolean' ? String(value) : wrong(verb, value);
    case 'x':
    case 'X':
      return hexOf(verb, value);
    default:
      return typeof value === 'number' ? sign + formatNumber(verb, value, precision) : wrong(verb, value);
  }
}

function formatNumber(verb: string, value: number, precision: number | undefined): string {
  const isWhole = Number.isInteger(value);
  switch (verb) {
    case 'd':
      return isWhole ? String(value) : wrong(verb, value);
    case 'o':
      return isWhole ? value.toString(8) : wrong(verb, value);
    case 'b':
      return isWhole ? value.toString(2) : wrong(verb, value);
    case 'c':
      return isWhole ? String.fromCodePoint(value) : wrong(verb, value);
    case 'U':
      return isWhole ? `U+${value.toString(16).toUpperCase().padStart(4, '0')}` : wrong(verb, value);
    case 'f':
    case 'F':
      return value.toFixed(Math.min(precision ?? 6, 100));
    case 'e':
    case 'E': {
      const [digits = '', exponent = ''] = value.toExponential(Math.min(precision ?? 6, 100)).split('e');
      const text = `${digits}e${exponent.startsWith('-') ? '-' : '+'}${exponent.slice(1).padStart(2, '0')}`;
      return verb === 'E' ? text.toUpperCase() : text;
    }
    case 'g':
    case 'G':
      return numberText(precision === undefined ? value : Number(value.toPrecision(Math.min(Math.max(precision, 1), 100))));
    default:
      return wrong(verb, value);
  }
}

function hexOf(verb: string, value: Value): string {
  let text: string;
  if (typeof value === 'string') text = Buffer.from(value).toString('hex');
  else if (typeof value === 'number' && Number.isInteger(value)) text = value.toString(16);
  else return wrong(verb, value);
  return verb === 'X' ? text.toUpperCase() : text;
}

function pad(
  text: string,
  { flags, width = 0, isNumber }: { readonly flags: string; readonly width: number | undefined; readonly isNumber: boolean },
): string {
  const missing = width - [...text].length;
  if (missing <= 0) return text;
  if (flags.includes('-')) return text + ' '.repeat(missing);
  if (!flags.includes('0') || !isNumber) return ' '.repeat(missing) + text;
  const sign = /^[+-]/.exec(text)?.[0] ?? '';
  return sign + '0'.repeat(missing) + text.slice(sign.length);
}

/** Go's quoted text: what JSON escapes, and little else. */
export function quoted(text: string): string {
  return JSON.stringify(text)
    .replaceAll(/\\u00([01][0-9a-f])/g, (_, code: string) => `\\x${code}`)
    .replaceAll('\\b', '\\b');
}

function cut(text: string, precision: number | undefined): string {
  return precision === undefined ? text : [...text].slice(0, precision).join('');
}

function wrong(verb: string, value: Value): string {
  return `%!${verb}(${goType(value)}=${shown(value)})`;
}

function shown(value: Value): string {
  return value === null ? '<nil>' : textOf(value);
}

function goType(value: Value): string {
  const kind = kindOf(value);
  return kind === 'nil' ? '<nil>' : kind === 'list' ? '[]interface {}' : kind === 'map' ? 'map[string]interface {}' : kind;
}
