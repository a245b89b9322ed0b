import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { AgentRefusal } from './refusal.ts';
import { openWorkFolder, removeTree } from './work-folder.ts';

describe('the work folder', () => {
  let root: string;
  let path: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'berth-work-'));
    path = join(root, 'work');
  });
  afterEach(() => removeTree(root));

  test('belongs to one agent at a time, and keeps who it is', () => {
    const first = openWorkFolder(path);
    assert.match(first.agentId, /^[0-9a-f]{16}$/);
    assert.throws(
      () => openWorkFolder(path),
      (error: unknown) => error instanceof AgentRefusal && /another agent \(process \d+\)/.test(error.message),
    );
    first.release();
    const second = openWorkFolder(path);
    assert.equal(second.agentId, first.agentId);
    second.release();
    assert.deepEqual(readdirSync(path).toSorted(), ['agent-id', 'runs']);
  });

  test('is taken over from a dead agent, also when its number belongs to another process', () => {
    openWorkFolder(path).release();
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    for (const holder of [`${dead} `, `${process.pid} boot:1`, 'nonsense', '']) {
      writeFileSync(join(path, 'agent.lock'), holder);
      openWorkFolder(path).release();
    }
    assert.deepEqual(readdirSync(path).toSorted(), ['agent-id', 'runs']);
  });

  test('is cleared of what runs left, in memory too, and of nothing else', async () => {
    const folder = openWorkFolder(path);
    const { folder: run, secretsFolder } = folder.openRun('ca1/../x');
    assert.equal(join(run, '..'), join(path, 'runs'));
    writeFileSync(join(secretsFolder, 'secret'), 'x');
    writeFileSync(join(root, 'outside'), 'x');
    mkdirSync(join(run, 'closed'), { mode: 0o500 });
    symlinkSync(root, join(run, 'link'));
    await folder.removeOldRuns(removeTree);
    assert.ok(!existsSync(run) && !existsSync(secretsFolder));
    assert.ok(existsSync(join(root, 'outside')));
    folder.release();
  });

  test('has short paths for what need not outlive its agent, and removes them with it', () => {
    const folder = openWorkFolder(path);
    const short = folder.inMemory('a name of any length, with / and spaces');
    assert.ok(short.length <= 50, short);
    assert.notEqual(folder.inMemory('another'), short);
    mkdirSync(join(short, 'closed'), { recursive: true });
    folder.release();
    assert.ok(!existsSync(short));
    const second = openWorkFolder(path);
    assert.equal(second.inMemory('a name of any length, with / and spaces'), short);
    second.release();
  });

  test('says when it cannot be written to', () => {
    writeFileSync(join(root, 'file'), '');
    assert.throws(() => openWorkFolder(join(root, 'file')), /cannot be used/);
    rmSync(join(root, 'file'));
  });
});
