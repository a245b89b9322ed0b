import { usage } from '@berth/api';
import { callOperation } from '../call-operation.ts';
import type { Connection } from '../connection.ts';
import { type Output, show } from '../output.ts';

interface UsageDocument {
  readonly registry: string;
  readonly plan: string;
  readonly sizeBytes: number;
  readonly blobs: number;
  readonly limitBytes: number | null;
  readonly lastDay: { readonly pulls: number; readonly pushes: number };
}

/** `berth usage`: what the registry stores and serves. */
export async function showUsage(connection: Connection, output: Output): Promise<void> {
  const result = (await callOperation(connection, usage.getUsage)) as UsageDocument;
  const { registry, plan, sizeBytes, blobs, limitBytes, lastDay } = result;
  const limit = limitBytes === null ? '' : ` of ${inWords(limitBytes)}`;
  const lines = [
    `${registry} (${plan}) stores ${inWords(sizeBytes)}${limit} in ${blobs} blobs.`,
    `In the last 24 hours: ${lastDay.pulls} pulls, ${lastDay.pushes} pushes.`,
  ];
  show(output, result, lines.join('\n'));
}

const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

function inWords(bytes: number): string {
  const power = bytes === 0 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 2 ** (10 * power);
  return `${power === 0 ? value : value.toFixed(1)} ${units[power]}`;
}
