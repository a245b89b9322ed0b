/** One measured line: Berth's figure, the peer's in the same run, and what architecture.md section 13 asks. */
export interface Row {
  readonly name: string;
  readonly unit: string;
  readonly berth: number;
  readonly peer: number | undefined;
  readonly target: { readonly atLeastRatio: number } | { readonly atMostRatio: number } | { readonly atMost: number };
  /** A second way to reach the target. */
  readonly alternative?: { readonly name: string; readonly value: number; readonly atLeast: number };
}

export function ratioOf(row: Row): number | undefined {
  return row.peer === undefined || row.peer === 0 ? undefined : row.berth / row.peer;
}

/** Whether a row reaches its target; undefined when there was no peer to compare with. */
export function isReached(row: Row): boolean | undefined {
  if (row.alternative !== undefined && row.alternative.value >= row.alternative.atLeast) return true;
  if ('atMost' in row.target) return row.berth <= row.target.atMost;
  const ratio = ratioOf(row);
  if (ratio === undefined) return undefined;
  return 'atLeastRatio' in row.target ? ratio >= row.target.atLeastRatio : ratio <= row.target.atMostRatio;
}

export function formatRow(row: Row): string {
  const ratio = ratioOf(row);
  const reached = isReached(row);
  const columns = [
    row.name.padEnd(58),
    `${figure(row.berth)} ${row.unit}`.padStart(20),
    (row.peer === undefined ? '' : figure(row.peer)).padStart(10),
    (ratio === undefined ? '' : `${ratio.toFixed(2)} x`).padStart(10),
    targetText(row).padStart(10),
    reached === undefined ? '' : reached ? 'reached' : 'MISSED',
  ];
  const alternative =
    row.alternative === undefined
      ? ''
      : `  (${row.alternative.name}: ${(row.alternative.value * 100).toFixed(0)} %, asked ${row.alternative.atLeast * 100} %)`;
  return columns.join('  ') + alternative;
}

function targetText(row: Row): string {
  if ('atMost' in row.target) return `<= ${row.target.atMost}`;
  return 'atLeastRatio' in row.target ? `>= ${row.target.atLeastRatio} x` : `<= ${row.target.atMostRatio} x`;
}

function figure(value: number): string {
  return value >= 1000 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
}
