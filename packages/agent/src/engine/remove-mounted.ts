import { existsSync } from 'node:fs';
import { type Engine, EngineError } from './engine.ts';
import { runProgram } from './run-program.ts';

/** Builds that were killed leave their file systems mounted. The deepest first; names have their spaces as `\040` there. */
const script = `
  while read -r _ place _; do
    place=$(printf '%b' "$place")
    case "$place" in "$1"/*) printf '%s\\n' "$place" ;; esac
  done < /proc/self/mounts | sort -r | while IFS= read -r place; do umount -l "$place"; done
  rm -rf -- "$1"
`;

/**
 * Removes a folder that podman or buildah have mounts in, or files of users that only they may act for: where this is not root,
 * in the namespace that the engine keeps for this user. @throws EngineError
 */
export async function removeMounted(path: string, engine: Engine, signal: AbortSignal): Promise<void> {
  const args = ['/bin/sh', '-c', script, 'sh', path];
  if (process.getuid?.() !== 0) {
    await engine.query(['unshare', ...args], { signal });
    return;
  }
  const environment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };
  const { exitCode, lastLines } = await runProgram('/bin/sh', args.slice(1), { environment, signal });
  if (exitCode !== 0 || existsSync(path)) throw new EngineError(lastLines.join('\n') || `${path} is still there`);
}
