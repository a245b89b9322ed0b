import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachEngine, randomImage } from '@berth/testkit';
import { openRegions, until } from './test-region.ts';

const megabyte = 1024 * 1024;
/** More than comes in one go. */
const layerBytes = 12 * megabyte;

forEachEngine((engine) => {
  test('attack 37: bytes that are not what their digest says are counted and taken from another region', async (t) => {
    const { east, north, west } = await openRegions(engine, t, ['east', 'north', 'west']);
    const image = randomImage();
    const facts = await east.push('a', image, ['v1']);
    await north.push('a', image, ['v1']);
    west.link('east').isCorrupting = true;
    west.start();
    await west.hear(east, facts);
    await west.complete('a', image.manifest);
    await west.requireImage('a', image);
    await until(async () => (await west.feed('east')).damaged_answers === 3);
    assert.equal((await west.feed('north')).damaged_answers, 0);
  });

  test('attack 37: so are large ones, whose parts were stored already', async (t) => {
    const { east, north, west } = await openRegions(engine, t, ['east', 'north', 'west'], { partBytes: 4 * megabyte });
    const image = randomImage({ layers: 1, layerBytes });
    const facts = await east.push('a', image);
    await north.push('a', image);
    west.link('east').isCorrupting = true;
    west.start();
    await west.hear(east, facts);
    await west.complete('a', image.manifest);
    await west.requireImage('a', image);
  });

  test('a copy that breaks off goes on where it stood, from another region if need be', async (t) => {
    const { east, north, west } = await openRegions(engine, t, ['east', 'north', 'west']);
    const image = randomImage({ layers: 1, layerBytes });
    const facts = await east.push('a', image);
    await north.push('a', image);
    const starts: { readonly name: string; readonly start: number }[] = [];
    for (const name of ['east', 'north'])
      west.link(name).onBlob = ({ digest, start }) => {
        if (digest === image.layers[0]?.digest) starts.push({ name, start });
        if (starts.length > 1) west.link('east').isUp = false;
      };
    west.link('east').breakAfterBytes = 5 * megabyte;
    west.start();
    await west.hear(east, facts);
    await west.complete('a', image.manifest);
    await west.requireImage('a', image);
    const start = starts[1]?.start ?? 0;
    // What a broken connection still had in its buffers is lost with it.
    assert.ok(start > 4 * megabyte && start <= 5 * megabyte, String(start));
    assert.deepEqual(starts, [
      { name: 'east', start: 0 },
      { name: 'east', start },
      { name: 'north', start },
    ]);
  });

  test('a killed copier goes on with the parts that were durable', async (t) => {
    const { east, west } = await openRegions(engine, t, ['east', 'west'], { partBytes: 4 * megabyte });
    const image = randomImage({ layers: 1, layerBytes });
    const facts = await east.push('a', image);
    // The second part never comes, and the process is not asked to stop.
    west.link('east').hangAfterBytes = 5 * megabyte;
    west.start();
    await west.hear(east, facts);
    await until(async () => (await west.durableBytes()) === 4 * megabyte);
    const again = west.restarted();
    // What the dead one had claimed is free after a while, and at once where there can be no other process.
    if (engine.name !== 'sqlite') again.pass(120_000);
    const starts: number[] = [];
    again.link('east').onBlob = ({ digest, start }) => {
      if (digest === image.layers[0]?.digest) starts.push(start);
    };
    again.start();
    await again.complete('a', image.manifest);
    await again.requireImage('a', image);
    assert.deepEqual(starts, [4 * megabyte]);
    assert.equal(await again.copiesInWork(), 0);
  });

  test('with all regions away nothing is lost, and it goes on when one is back', async (t) => {
    const { east, west } = await openRegions(engine, t, ['east', 'west']);
    const image = randomImage();
    const facts = await east.push('a', image, ['v1']);
    west.link('east').isUp = false;
    west.start();
    await west.hear(east, facts);
    await until(async () => (await west.problems()).some((problem) => problem?.includes('no other region answers')));
    west.link('east').isUp = true;
    await west.complete('a', image.manifest);
    await west.requireImage('a', image);
  });

  test('attack 37: a stored blob that does not open is brought again from another region, and counted', async (t) => {
    const { east, west } = await openRegions(engine, t, ['east', 'west']);
    const image = randomImage();
    await west.hear(east, await east.push('a', image, ['v1']));
    west.start();
    await west.complete('a', image.manifest);
    const [layer] = image.layers;
    assert.ok(layer !== undefined);
    await west.damage(layer.digest);
    assert.equal((await west.ask('get-blob', { name: 'a', digest: layer.digest })).error, 'CONTENT_DAMAGED');
    await until(async () => west.copying.repaired(west.registry.id) === 1);
    await west.requireImage('a', image);
  });
});
