import assert from 'node:assert/strict';
import { test } from 'node:test';
import { branchOf, isSameRepository, plainUrl } from './repository-address.ts';

const same: readonly (readonly [string, string])[] = [
  ['https://github.com/Acme/App.git', 'https://github.com/acme/app'],
  ['https://github.com/acme/app#main:src', 'git@github.com:acme/app.git'],
  ['https://github.com/acme/app', 'ssh://git@github.com/acme/app.git'],
  ['https://user:secret@gitlab.example/group/sub/app.git', 'https://gitlab.example/group/sub/app'],
  ['http://localhost:3000/acme/app', 'http://localhost:3000/acme/app.git/'],
  ['https://dev.azure.com/org/Project/_git/Repo', 'https://org@dev.azure.com/org/project/_git/repo'],
  ['https://dev.azure.com/org/Repo/_git/Repo', 'https://dev.azure.com/org/_git/Repo'],
  ['https://dev.azure.com/org/My%20Project/_git/Repo', 'git@ssh.dev.azure.com:v3/org/My%20Project/Repo'],
  ['https://fabrikam.visualstudio.com/DefaultCollection/_git/Fiber', 'https://dev.azure.com/fabrikam/Fiber/_git/Fiber'],
  ['https://bitbucket.example/scm/PROJ/app.git', '/scm/proj/app'],
];
for (const [a, b] of same) test(`${a} and ${b} are one repository`, () => assert.ok(isSameRepository(a, b)));

const different: readonly (readonly [string, string])[] = [
  ['https://github.com/acme/app', 'https://github.com/acme/app2'],
  ['https://github.com/acme/app', 'https://github.com.evil.example/acme/app'],
  ['https://github.com/acme/app', 'https://evil.example/github.com/acme/app'],
  ['https://github.com/acme/app', 'https://github.com:8443/acme/app'],
  ['https://dev.azure.com/org/one/_git/repo', 'https://dev.azure.com/org/two/_git/repo'],
  ['https://github.com/acme/app', 'file:///acme/app'],
  ['https://github.com/acme/app', ''],
];
for (const [a, b] of different) test(`${a} and ${b === '' ? 'nothing' : b} are two`, () => assert.ok(!isSameRepository(a, b)));

test('an address is shown without its password and its branch', () => {
  assert.equal(plainUrl('https://me:secret@host.example/acme/app.git#main:src'), 'https://host.example/acme/app.git');
  assert.equal(branchOf('https://host.example/acme/app.git#main:src'), 'main');
  assert.equal(branchOf('https://host.example/acme/app.git#:src'), undefined);
});
