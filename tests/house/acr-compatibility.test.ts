import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineOperation } from '@berth/api';
import { type AcrOperation, differs, notYet, plainRoute, works } from '../../tools/reference/acr/entry.ts';
import { acrProblems } from '../../tools/reference/acr/problems.ts';

/** A contract of two operations. */
const contract = (['one', 'two'] as const).map((name) =>
  defineOperation({
    id: `get-${name}`,
    method: 'GET',
    path: `/acr/v1/{repository}/_${name}`,
    source: 'a test',
    permission: { kind: 'public', reason: 'a test' },
    summary: `Gets ${name}.`,
    responses: { 200: { description: 'it' } },
    errors: [],
  }),
);
const one = works('GET /acr/v1/{name}/_one', 'get-one');
const two = differs('GET /acr/v1/{name}/_two', 'get-two', 'in a way');

const lists: readonly {
  readonly title: string;
  readonly listed: readonly AcrOperation[];
  readonly problems: readonly string[];
}[] = [
  { title: 'a list that fits has no problem', listed: [one, two, notYet('PUT /acr/v1/{name}/_one', 'later')], problems: [] },
  {
    title: 'an id that the contract does not have',
    listed: [one, two, works('GET /acr/v1/{name}/_three', 'get-three')],
    problems: ['GET /acr/v1/{name}/_three names get-three, which the contract does not have'],
  },
  { title: 'an operation that is in no line', listed: [one], problems: ["the contract's operation get-two is not listed"] },
  {
    title: 'an operation that was built since',
    listed: [one, notYet('GET /acr/v1/{name}/_two', 'later')],
    problems: [
      'GET /acr/v1/{name}/_two is listed as missing, but get-two answers it',
      "the contract's operation get-two is not listed",
    ],
  },
  {
    title: 'an id of another route',
    listed: [one, two, works('GET /acr/v1/{name}/_more', 'get-one')],
    problems: ['GET /acr/v1/{name}/_more names get-one, which is GET /acr/v1/{repository}/_one'],
  },
  {
    title: 'a line that is there twice',
    listed: [one, two, notYet('PUT R/a/{name}', 'x'), notYet('PUT R/a/{id}', 'x')],
    problems: ['PUT R/a/{id} is listed twice'],
  },
];

for (const { title, listed, problems } of lists) {
  test(`the page of ACR's operations: ${title}`, () => {
    assert.deepEqual(acrProblems(listed, contract), problems);
  });
}

test('abbreviations are written out, and names of parameters do not matter', () => {
  const registry = '/subscriptions/{}/resourceGroups/{}/providers/Microsoft.ContainerRegistry/registries/{}';
  assert.equal(plainRoute('GET R/tokens/{name}'), `GET ${registry}/tokens/{}`);
  assert.equal(plainRoute('GET RG/RP/registries/{x}'), `GET ${registry}`);
  assert.equal(plainRoute('GET /RP/operations'), 'GET /providers/Microsoft.ContainerRegistry/operations');
});
