import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextStepOf } from './next-step.ts';

const rights =
  'fatal: Could not read from remote repository. Please make sure you have the correct access rights and the repository exists.';
const cases: readonly (readonly [complaint: string, step: RegExp])[] = [
  [`Host key verification failed. ${rights}`, /known_hosts/],
  [`git@host: Permission denied (publickey). ${rights}`, /a key that may read it/],
  [`me@host: Permission denied (gssapi-keyex,publickey,password). ${rights}`, /a key that may read it/],
  [`error: cannot run ssh: No such file or directory fatal: unable to fork`, /Install ssh/],
  [`ssh: connect to host h port 22: Connection refused ${rights}`, /can reach it/],
  [`ssh: Could not resolve hostname h: Name or service not known ${rights}`, /can reach it/],
  [`fatal: unable to access 'https://h/x/': Could not resolve host: h`, /can reach it/],
  [`fatal: '/x' does not appear to be a git repository ${rights}`, /Check the address/],
  [`fatal: could not read Username for 'https://h': terminal prompts disabled`, /give a token/],
  [`fatal: Authentication failed for 'https://h/x/'`, /give a token/],
  [`fatal: repository 'https://h/x/' not found`, /Check the address; .*give a token/],
  ['fatal: something else', /can reach it/],
];
for (const [complaint, step] of cases)
  test(`says what to do about: ${complaint}`, () => assert.match(nextStepOf(complaint), step));
