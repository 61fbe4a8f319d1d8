import type { Logger } from '../../src/ports.ts';

/** What one run of one process came to. */
export type Measured = {
  readonly records: number;
  /** From the first fetch to the last durable object, or the last record parsed. */
  readonly seconds: number;
  /** Of the whole process, threads included. */
  readonly cpuSeconds: number;
  readonly peakRssMiB: number;
};

export type IngestMeasured = Measured & {
  readonly rows: number;
  /** Of bronze, and of the raw copy. */
  readonly bytesPerRow: number;
  readonly rawBytesPerRow: number;
  readonly batches: number;
};

export type Stages = { readonly stages: Readonly<Record<string, number>> };

const nothing = (): void => undefined;

export const silentLogger: Logger = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
};

const marker = 'measured: ';

/** Tells the process that started this one. */
export function report<T extends Measured>(measured: T): void {
  process.stdout.write(`${marker}${JSON.stringify(measured)}\n`);
}

export function parseReport<T extends Measured>(output: string): T {
  const line = output.split('\n').findLast((each) => each.startsWith(marker));
  if (line === undefined) throw new Error(`a measured process told nothing:\n${output}`);
  return JSON.parse(line.slice(marker.length)) as T;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
