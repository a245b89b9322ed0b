import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findHiddenInput } from './hidden-inputs.ts';

const cases: readonly (readonly [name: string, steps: string, found: string | undefined])[] = [
  ['an argument in RUN', 'ARG V\nRUN make VERSION=$V', undefined],
  ['an argument in COPY and ADD', 'ARG V\nCOPY app-$V /app\nADD ${V}.tar /', undefined],
  ['a variable of the image', 'ENV PATH=/opt/bin:$PATH HOME_OF=${HOME}', undefined],
  ['an argument in LABEL', 'ARG REVISION\nLABEL revision=$REVISION', '3 LABEL uses the argument REVISION'],
  ['with braces and quotes', 'ARG V=1\nENV A=b VERSION="v${V}"', '3 ENV uses the argument V'],
  ['with a fallback', 'ARG V\nUSER ${V:-app}', '3 USER uses the argument V'],
  ['one that is declared with others', 'ARG A B=1\nEXPOSE 80 $B', '3 EXPOSE uses the argument B'],
  ['in a command, where nothing is filled in', 'ARG V\nCMD echo $V\nENTRYPOINT run $V', undefined],
  ['escaped', 'ARG V\nENV A=\\$V', undefined],
  ['a cache mount', 'RUN --mount=type=cache,target=/c make', undefined],
  ['a secret', 'RUN --mount=type=secret,id=s cat /run/secrets/s', undefined],
  ['a mount of the context', 'RUN --mount=type=bind,source=src,target=/src make', '2 RUN mounts files'],
  ['a mount without a type', 'RUN --mount=target=/src make', '2 RUN mounts files'],
  ['a cache that begins as a stage', 'RUN --mount=type=cache,from=x,target=/c make', '2 RUN mounts files'],
];

for (const [name, steps, found] of cases)
  test(`what the text of a step hides: ${name}`, () => {
    const hidden = findHiddenInput(`FROM base\n${steps}\n`);
    assert.equal(hidden === undefined ? undefined : `${hidden.line} ${hidden.reason.split(', which', 1)[0]}`, found);
  });

test('what the text of a step hides: an argument from before the first FROM', () => {
  assert.equal(findHiddenInput('ARG TAG=1\nFROM base:$TAG\nRUN make\n'), undefined);
  assert.equal(findHiddenInput('ARG TAG=1\nFROM base:$TAG\nARG TAG\nLABEL base=$TAG\n')?.line, 4);
});

test('what the text of a step hides: a Dockerfile beyond all bounds is not taken apart', () => {
  assert.match(findHiddenInput(`FROM base\n${'#'.repeat(2 ** 20)}`)?.reason ?? '', /more than 1048576 characters/);
});
