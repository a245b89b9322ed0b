import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBuildCommand } from './build-command.ts';
import { parseRunCommand } from './run-command.ts';
import { splitWords } from './split-words.ts';

const splits: readonly (readonly [text: string, words: readonly string[]])[] = [
  ['', []],
  ['  a  b\n c ', ['a', 'b', 'c']],
  [`a 'b c' "d e" f\\ g`, ['a', 'b c', 'd e', 'f g']],
  [`--x='1 2'"3"4`, ['--x=1 234']],
  [`"a\\"b\\n\\\\" ''`, ['a"b\\n\\', '']],
  ['a \\\n  b', ['a', 'b']],
  [`sh -c "a && b | c > d"`, ['sh', '-c', 'a && b | c > d']],
  ['$Registry/x:$ID {{y}}', ['$Registry/x:$ID', '{{y}}']],
];
for (const [text, words] of splits) test(`splits ${JSON.stringify(text)}`, () => assert.deepEqual(splitWords(text), words));

for (const [text, words] of [
  ['a && b', /holds &&, which only a shell understands: .*sh -c/],
  ['a | b', /holds \|/],
  ['a > b', /holds >/],
  ['a; b', /holds ;/],
  ['a $(b)', /holds \$\(/],
  ['a "$(b)"', /holds \$\(/],
  ['a `b`', /holds `/],
  [`a 'b`, /quote that is not closed: 'b/],
  ['a \\', /ends with a backslash/],
] as const)
  test(`refuses to split ${text}`, () => assert.throws(() => splitWords(text), words));

test('a cmd: flags of docker run, the image, and what is its own', () => {
  assert.deepEqual(parseRunCommand('bash echo -n hello --rm'), {
    flags: [],
    image: 'bash',
    arguments: ['echo', '-n', 'hello', '--rm'],
  });
  assert.deepEqual(parseRunCommand('--rm -e A=1 --volume=x:/y -it -p80:80 img:1 --flag'), {
    flags: [
      { name: 'rm', value: undefined },
      { name: 'env', value: 'A=1' },
      { name: 'volume', value: 'x:/y' },
      { name: 'interactive', value: undefined },
      { name: 'tty', value: undefined },
      { name: 'publish', value: '80:80' },
    ],
    image: 'img:1',
    arguments: ['--flag'],
  });
  for (const [text, words] of [
    ['', /names no image/],
    ['--rm', /names no image/],
    ['--entrypont x img', /--entrypont, which is not known; did you mean --entrypoint\?/],
    ['-Z img', /-Z, which is not known/],
    ['img-less --', /^$/],
  ] as const)
    if (words.source !== '^$') assert.throws(() => parseRunCommand(text), words);
});

test('a build asks for documents as docker build does', () => {
  for (const [text, asked] of [
    ['--sbom=true', ['sbom']],
    ['--provenance=true --sbom true', ['sbom', 'provenance']],
    ['--provenance=mode=max', ['provenance']],
    ['--attest type=sbom --attest=type=provenance,mode=min', ['sbom', 'provenance']],
    ['--attest type=sbom,disabled=true --provenance=false', []],
    ['--sbom=true --sbom=false', []],
  ] as const) {
    const { attests, others } = parseBuildCommand(`${text} .`);
    assert.deepEqual(attests, {
      sbom: asked.some((each) => each === 'sbom'),
      provenance: asked.some((each) => each === 'provenance'),
    });
    assert.deepEqual(others, []);
  }
});

test('a build: everything that docker build takes', () => {
  const plain = {
    tags: [],
    file: undefined,
    target: undefined,
    arguments: [],
    platforms: [],
    labels: [],
    secrets: [],
    noCache: false,
    pull: false,
    attests: { sbom: false, provenance: false },
    others: [],
    context: '.',
  };
  assert.deepEqual(parseBuildCommand('.'), plain);
  assert.deepEqual(
    parseBuildCommand(
      `-t a:1 --tag=b -f "my dir/Dockerfile" --build-arg A='1 2' --build-arg B --target t --platform linux/amd64,linux/arm64 --no-cache --pull --label l=1 --secret id=s,src=f --network host "a folder"`,
    ),
    {
      ...plain,
      tags: ['a:1', 'b'],
      file: 'my dir/Dockerfile',
      arguments: ['A=1 2', 'B'],
      target: 't',
      platforms: ['linux/amd64', 'linux/arm64'],
      noCache: true,
      pull: true,
      labels: ['l=1'],
      secrets: ['id=s,src=f'],
      others: [{ name: 'network', value: 'host' }],
      context: 'a folder',
    },
  );
  // A switch directly before the context does not swallow it, and flags may follow it.
  assert.equal(parseBuildCommand('--no-cache .').context, '.');
  assert.deepEqual(parseBuildCommand('. -t x').tags, ['x']);
  assert.equal(parseBuildCommand('--file=x .').file, 'x');
  for (const [text, words] of [
    ['-t a', /names no context/],
    ['. ./b', /more than one context/],
    ['--tga a .', /--tga, which is not known; did you mean --tag\?/],
    ['--tagg a .', /--tagg, which is not known; did you mean --tag\?/],
    ['. -t', /-t without its value/],
    ['--pull=maybe .', /true or false/],
    ['--sbom .', /has --sbom=\.; write --sbom=true or --sbom=false$/],
    ['--sbom=generator=x/y .', /write --sbom=true/],
    ['--provenance=mode=some .', /--provenance=mode=max or --provenance=false$/],
    ['--attest type=other .', /type=sbom or type=provenance; other/],
  ] as const)
    assert.throws(() => parseBuildCommand(text), words);
});
