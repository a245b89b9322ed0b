import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseImageReference } from './image-reference.ts';
import { type ScanOptions, scanDockerfile } from './scan-dockerfile.ts';

const digest = `sha256:${'a'.repeat(64)}`;

const references: readonly (readonly [name: string, reference: string | undefined])[] = [
  ['alpine', 'docker.io library/alpine latest -'],
  ['me/app:1', 'docker.io me/app 1 -'],
  ['index.docker.io/library/x', 'docker.io library/x latest -'],
  ['localhost/x', 'localhost x latest -'],
  ['localhost:5000/a/b:v1', 'localhost:5000 a/b v1 -'],
  ['r.example.com/x', 'r.example.com x latest -'],
  [`r.example.com:443/x@${digest}`, `r.example.com:443 x - ${digest}`],
  [`x:1@${digest}`, `docker.io library/x 1 ${digest}`],
  ['UPPER', undefined],
  ['a:', undefined],
  ['a@sha256:1', undefined],
  ['', undefined],
  ['a b', undefined],
];
for (const [name, expected] of references)
  test(`the image ${JSON.stringify(name)}`, () => {
    const found = parseImageReference(name);
    const text = found && `${found.registry} ${found.repository} ${found.tag ?? '-'} ${found.digest ?? '-'}`;
    assert.equal(text, expected);
  });

function images(text: string, options: ScanOptions = {}): readonly string[] {
  const { images: found, warnings } = scanDockerfile(text, options);
  return [
    ...found.map(({ role, name, platform }) => `${role} ${name}${platform === undefined ? '' : ` for ${platform}`}`),
    ...warnings,
  ];
}

const scans: readonly (readonly [title: string, text: string, images: readonly string[], options?: ScanOptions])[] = [
  ['one stage', 'FROM alpine:3\nRUN x\n', ['runtime alpine:3']],
  ['scratch', 'FROM scratch\n', []],
  [
    'a platform',
    'FROM --platform=$BUILDPLATFORM golang:1 AS b\nFROM --platform=linux/arm64 alpine\nCOPY --from=b /x /x\n',
    ['runtime alpine for linux/arm64', 'buildtime golang:1 for linux/amd64'],
  ],
  ['variables', 'ARG V=3\nARG R\nFROM ${R:-docker.io/library}/alpine:$V\n', ['runtime docker.io/library/alpine:3']],
  ['variables by argument', 'ARG V=3\nFROM alpine:${V}\n', ['runtime alpine:4'], { arguments: new Map([['V', '4']]) }],
  ['other operators', 'ARG V=3\nFROM alpine:${V:+edge}${W:+no}${W-x}\n', ['runtime alpine:edgex']],
  ['quotes and comments', '# syntax=docker/dockerfile:1\n# note\nFROM "alpine:3" as A\n', ['runtime alpine:3']],
  ['stages of stages', 'FROM a AS one\nFROM one AS two\nFROM TWO\n', ['runtime a']],
  ['a stage that is not needed', 'FROM a AS one\nFROM b\n', ['runtime b']],
  ['a target', 'FROM a AS one\nFROM b AS two\nFROM c\n', ['runtime b'], { target: 'Two' }],
  ['an unknown target', 'FROM a\n', ['the Dockerfile has no stage z'], { target: 'z' }],
  [
    'copies from images and numbers',
    'FROM a\nFROM b\nCOPY --from=0 /x /\nCOPY --from=tool:1 /y /\n',
    ['runtime b', 'buildtime a', 'buildtime tool:1'],
  ],
  [
    'mounts',
    'FROM a\nRUN --mount=type=bind,from=m:1,target=/m --mount=type=cache,target=/c make\n',
    ['runtime a', 'buildtime m:1'],
  ],
  ['continued lines', 'FROM \\\n  alpine:3 \\\n  AS x\nFROM x\n', ['runtime alpine:3']],
  ['heredocs', 'FROM a\nRUN <<EOF\nFROM not-an-image\nEOF\n', ['runtime a']],
  ['an escape of its own', '# escape=`\nFROM `\n a\n', ['runtime a']],
  ['arguments of stages', 'ARG V=1\nFROM a\nARG V\nCOPY --from=t:$V /x /\n', ['runtime a', 'buildtime t:1']],
  ['no argument passes a FROM', 'ARG V=1\nFROM a\nCOPY --from=t:${V:-none} /x /\n', ['runtime a', 'buildtime t:none']],
  ['nothing', '', ['the Dockerfile has no FROM']],
  ['no name', 'FROM $MISSING\n', ['line 1: "" is no name of an image; it is not watched']],
  ['hosts with ports', 'FROM localhost:5000/x:1\n', ['runtime localhost:5000/x:1']],
];
for (const [title, text, expected, options] of scans)
  test(`scans ${title}`, () => assert.deepEqual(images(text, options), expected));
