import type { Step } from '@berth/task-file';
import type { RunScene } from './run-scene.ts';

/** Shows what a detached container prints, and says so when it ends before the run does. */
export function followContainer(scene: RunScene, step: Step, name: string): void {
  const { engine, host, table, ending, followed } = scene;
  const logs = engine.command(['logs', '--follow', name], {
    signal: ending,
    onLine: (stream, line) => host.log(step.id, stream, line),
  });
  const wait = async (): Promise<void> => {
    const { exitCode, output } = await engine.command(['wait', name], { signal: ending });
    if (ending.aborted || exitCode !== 0) return;
    const code = output.trim();
    const reason = `the detached container ended with exit code ${code} while the run went on`;
    host.log(step.id, 'agent', `${reason.charAt(0).toUpperCase()}${reason.slice(1)}`);
    table.change(step.id, { reason, exitCode: Number(code) });
  };
  const all = Promise.allSettled([logs, wait()]).then(() => {
    followed.delete(all);
  });
  followed.add(all);
}
