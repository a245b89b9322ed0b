import { randomUUID } from 'node:crypto';
import { type Dictionary, TaskFileError, aliasSources, parseTaskFile } from '@berth/task-file';
import { RegistryError } from '../../errors/index.ts';
import type { TaskStep } from '../model.ts';
import { withOwnVersion } from '../own-version.ts';

/** Names of `.Run` (acr-tasks 2.1) with values of their kind: what they will be, only runs know. */
const sampleRun: Dictionary = {
  ID: 'ca1',
  Registry: 'registry.example',
  RegistryName: 'registry',
  Date: '20000101-000000z',
  Commit: '0000000',
  Branch: 'main',
  TaskName: 'task',
  TriggeredBy: 'Manual',
  SharedVolume: 'workspace',
  OS: 'linux',
  Architecture: 'amd64',
};

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
