import { randomUUID } from 'node:crypto';
import { TaskFileError, aliasSources, parseTaskFile, sampleRun } from '@berth/task-file';
import { RegistryError } from '../../errors/index.ts';
import type { TaskStep } from '../model.ts';
import { withOwnVersion } from '../own-version.ts';

/**
 * Reads the task file that a task brings with it. What is in a file of values, or in documents elsewhere, only agents see; then
 * nothing is said here.
 * @throws TASK_FILE_INVALID with everything that is wrong, by line and column
 */
export function checkTaskContent(step: Extract<TaskStep, { type: 'EncodedTask' }>): void {
  if (step.encodedValuesContent !== undefined) return;
  const source = withOwnVersion(Buffer.from(step.encodedTaskContent, 'base64').toString('utf8'));
  // Secrets stay out of messages: their names stand for them.
  const values = Object.fromEntries(
    step.values.map(({ name, value }): [string, string] => [name, typeof value === 'string' ? value : name]),
  );
  try {
    const input = { source, run: sampleRun, values };
    if (aliasSources(input).length > 0) return;
    parseTaskFile({ ...input, nonce: randomUUID().replaceAll('-', '') });
  } catch (error) {
    if (!(error instanceof TaskFileError)) throw error;
    throw new RegistryError('TASK_FILE_INVALID', {
      message: `properties.step.encodedTaskContent: ${error.message}`,
      target: 'properties.step.encodedTaskContent',
      cause: error,
    });
  }
}
