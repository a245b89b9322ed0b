import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { missingForNetwork } from '@berth/testkit';
import { findProgram, isRequired } from '../clients/client-program.ts';
import { TaskWorld, taskPrograms } from './task-world.ts';

export interface TaskSuiteOptions {
  /** Programs that it takes beside those of every suite. */
  readonly programs?: readonly string[];
  readonly settings?: Readonly<Record<string, string>>;
}

/**
 * Defines tests of tasks with a server, an engine and agents of their own. Where a program is missing, or the tests may not
 * make a network, they are skipped, or fail if BERTH_REQUIRE names `tasks`.
 */
export function taskSuite(
  name: string,
  { programs = [], settings = {} }: TaskSuiteOptions,
  define: (world: () => TaskWorld) => void,
): void {
  const missing = [...taskPrograms, ...programs].filter((program) => findProgram(program) === undefined);
  const reason = missing.length > 0 ? `not installed: ${missing.join(', ')}` : missingForNetwork();
  if (reason !== undefined) {
    if (isRequired('tasks')) test(`${name} can run`, () => assert.fail(reason));
    else describe(name, { skip: reason }, () => {});
    return;
  }
  describe(name, () => {
    let world: TaskWorld | undefined;
    before(async () => {
      world = await TaskWorld.open(settings);
    });
    after(() => world?.close());
    define(() => {
      if (world === undefined) throw new Error('the world is used outside of its tests');
      return world;
    });
  });
}
