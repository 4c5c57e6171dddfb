import { availableParallelism, loadavg } from "node:os";

/** One line of the table: what we measured, and what stands beside it in the same run. */
export interface Row {
  readonly what: string;
  readonly ours: number;
  readonly unit: string;
  /** The peer or floor, null where there is none in this run. */
  readonly beside: { readonly name: string; readonly value: number } | null;
  readonly note: string;
}

export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5);
}

export function quantile(samples: readonly number[], q: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

export async function timeMs(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** Medians of interleaved pairs: both sides meet the same moods of the machine. */
export async function pairs(
  rounds: number,
  ours: () => Promise<unknown>,
  theirs: () => Promise<unknown>,
): Promise<readonly [number, number]> {
  const samples: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    samples[0].push(await timeMs(ours));
    samples[1].push(await timeMs(theirs));
  }
  return [median(samples[0]), median(samples[1])];
}

export function renderRows(rows: readonly Row[]): string {
  const cells = rows.map(({ what, ours, unit, beside, note }) => [
    what,
    `${number(ours)} ${unit}`,
    beside === null ? "" : `${beside.name}: ${number(beside.value)} ${unit}`,
    beside === null ? "" : `x${number(ours / beside.value)}`,
    note,
  ]);
  const all = [["what", "ours", "beside it", "ratio", "note"], ...cells];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

const number = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);

export const machineFacts = () => ({
  node: process.version,
  cores: availableParallelism(),
  load: loadavg().map((load) => Math.round(load * 10) / 10),
});
