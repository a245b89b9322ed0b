import type { Engine } from './engine.ts';

const units: Readonly<Record<string, number>> = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };

/** What containers with these labels have written to their own layers, in bytes, as exactly as engines say it: three digits. */
export async function containersUse(engine: Engine, labels: readonly string[], signal: AbortSignal): Promise<number> {
  if (engine.name === 'buildah') return 0;
  const filters = labels.flatMap((label) => ['--filter', `label=${label}`]);
  const { exitCode, output } = await engine.command(['ps', '--all', '--size', ...filters, '--format', '{{.Size}}'], { signal });
  if (exitCode !== 0) return 0;
  return output.split('\n').reduce((sum, line) => sum + parseSize(line), 0);
}

/** `12.3MB (virtual 1.2GB)`: the first is the container's own. */
export function parseSize(text: string): number {
  const [, number = '0', unit = 'B'] = /^([\d.]+) ?([kMGT]?B)/.exec(text) ?? [];
  return Number(number) * (units[unit] ?? 1);
}
