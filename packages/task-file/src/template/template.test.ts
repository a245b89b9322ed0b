import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Dictionary, functionNames, render } from './index.ts';

interface Known {
  readonly data: Dictionary;
  readonly cases: readonly { readonly template: string; readonly output: string }[];
}

/** What Go's text/template with Sprig 3.3's hermetic functions makes of these. */
const known = JSON.parse(readFileSync(new URL('known-outputs.json', import.meta.url), 'utf8')) as Known;

for (const { template, output } of known.cases)
  test(`as Go renders it: ${template}`, () => {
    assert.equal(render(template, known.data), output);
  });

test('every function is in a known output', () => {
  const used = new Set(known.cases.flatMap(({ template }) => template.match(/\w+/g) ?? []));
  const own = ['required', 'sha512sum', 'toRawJson', 'deepCopy', 'fail', 'push', 'tuple', 'values', 'trimall', 'slice'];
  assert.deepEqual(
    functionNames.filter((name) => !used.has(name) && !own.includes(name)),
    [],
  );
});

test('what is missing is nothing, and no error', () => {
  assert.equal(render('[{{.Values.none}}][{{.None.at.all}}]', { Values: {} }), '[][]');
  assert.equal(render('{{ .Values.constructor }}{{ .Values.__proto__ }}', { Values: {} }), '');
});

const broken: readonly (readonly [template: string, words: RegExp])[] = [
  ['a {{ .x', /: 1:3: the \{\{ here is not closed/],
  ['{{ "a }}', /: 1:4: the quoted text that begins here/],
  ['line\n  {{ nofunc . }}', /: 2:6: there is no function "nofunc"/],
  ['{{ end }}', /: 1:1: there is nothing for this \{\{end}} to end/],
  ['{{ if .x }}', /: 1:1: the \{\{if}} here has no \{\{end}}/],
  ['{{ upper }}', /: 1:4: upper takes 1 argument, not 0/],
  ['{{ env "HOME" }}', /there is no function "env"/],
  ['{{ randAlpha 5 }}{{ now }}', /there is no function "randAlpha"/],
  ['{{ template "x" }}', /there is no template "x"/],
  ['{{ $x }}', /there is no variable \$x/],
  ['{{ fail "no" }}', /: 1:4: fail says: no/],
  ['{{ div 1 0 }}', /divides by zero/],
  ['{{ .a.b }}', /\.b is asked of a string/],
  ['{{ range .a }}{{ end }}', /range goes over lists and maps, not over a string/],
  ['{{ ? }}', /"\?" has no meaning/],
  ['{{ .a | 5 }}', /takes no arguments/],
  ['{{ regexMatch "(" .a }}', /RE2/],
];
for (const [template, words] of broken)
  test(`refuses ${JSON.stringify(template)}`, () => {
    assert.throws(() => render(template, { a: 'text' }), words);
  });

test('attack 34: a template neither runs for ever nor fills the memory', () => {
  for (const template of [
    '{{ range until 100000 }}{{ range until 100000 }}x{{ end }}{{ end }}',
    '{{ repeat 100000 (repeat 100000 "x") }}',
    '{{ define "a" }}{{ template "a" }}{{ end }}{{ template "a" }}',
    `${'{{ if true }}'.repeat(200)}${'{{ end }}'.repeat(200)}`,
    `{{ ${'('.repeat(200)}1${')'.repeat(200)} }}`,
    '{{ printf "%999999999d" 1 }}',
    '{{ until 99999999 }}',
  ])
    assert.throws(() => render(template, {}), /more than|more work|deep|at the most|no number below/, template);
});

test('the reference lists every function, and no other', () => {
  const page = readFileSync(new URL('../../../../docs/guides/task-templates.md', import.meta.url), 'utf8');
  const listed = [...page.matchAll(/`(\w+)`/g)].map(([, name]) => name);
  assert.deepEqual(listed, functionNames);
});
