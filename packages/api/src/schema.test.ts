import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Type as TypeBox } from 'typebox';
import { Value } from 'typebox/value';
import { Type } from './schema.ts';

test('a schema is the JSON Schema that TypeBox builds', () => {
  const build = (types: typeof Type): unknown =>
    types.Object(
      {
        text: types.String({ description: 'a text' }),
        count: types.Optional(types.Integer({ minimum: 1 })),
        list: types.Array(types.String()),
        choice: types.Union([types.Literal('a'), types.Literal('b'), types.Null()]),
        inner: types.Optional(types.Object({ some: types.Optional(types.String()) })),
      },
      { additionalProperties: false },
    );
  assert.deepEqual(JSON.parse(JSON.stringify(build(Type))), JSON.parse(JSON.stringify(build(TypeBox as unknown as typeof Type))));
});

test('TypeBox validates by it', () => {
  const schema = Type.Object(
    { count: Type.Integer({ minimum: 1 }), name: Type.Optional(Type.String()) },
    { additionalProperties: false },
  );
  assert.ok(Value.Check(schema, { count: 1 }));
  assert.ok(Value.Check(schema, { count: 1, name: 'a' }));
  for (const value of [{}, { count: 0 }, { count: '1' }, { count: 1, name: 1 }, { count: 1, more: 1 }, null, []])
    assert.ok(!Value.Check(schema, value), JSON.stringify(value));
});
