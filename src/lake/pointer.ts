import type { Accounting } from './accounting.ts';
import type { Cause, Waiver } from './cause.ts';
import type { LogName } from './paths.ts';
import type { Layer } from './table.ts';
import type { WindowId } from './window.ts';

/*
 * A pointer says which version of a window is current; replacing it is the only commit of a build.
 * It names the files, and a registrar makes the catalog equal to it.
 */

/** What kind of build made a version. */
export type BuildMode = 'fold' | 'seal' | 'rebuild';

export type PointerFile = {
  readonly key: string;
  readonly partition: Readonly<Record<string, string>>;
  readonly rows: number;
  readonly bytes: number;
};

/** Batch numbers as closed ranges `[first, last]`, ascending and not touching. */
export type NumberRange = readonly [number, number];

/** What a silver version was made from, per source log. */
export type LogInput = {
  /** Every batch up to here was looked at. */
  readonly through: number;
  /** Those that hold rows of the window. */
  readonly batches: readonly NumberRange[];
};

export type Pointer = {
  readonly schema: 1;
  readonly layer: Layer;
  readonly table: string;
  readonly window: WindowId;
  /** `<sequence>-<fingerprint>`; never reused. */
  readonly version: string;
  readonly sequence: number;
  readonly mode: BuildMode;
  /**
   * Covers inputs, SQL, contract, thresholds, engine, and for silver which checks were passed: equal
   * fingerprint, equal content.
   */
  readonly fingerprint: string;
  readonly files: readonly PointerFile[];
  /** What the catalog may have of the window (lake/registration.ts); absent where nobody has kept it. */
  readonly partitionsEver?: readonly (readonly string[])[];
  readonly rows: number;
  readonly logs: Readonly<Record<LogName, LogInput>>;
  /** Silver versions that a gold version was made from, by window. */
  readonly silver: Readonly<Record<WindowId, string>>;
  readonly accounting: Accounting | null;
  /** Duplicates that a fold would have kept instead of what it has: the seal build swaps them. */
  readonly betterDuplicates: number;
  readonly quarantineKeys: readonly string[];
  readonly score: number | null;
  readonly warnings: readonly string[];
  /** False: built before its window closed for good, because waiting had taken too long. */
  readonly complete: boolean;
  /** Who let it be published although checks had failed, and which; absent where nobody had to. */
  readonly waived?: Waiver;
  /** Why it was built. */
  readonly cause?: Cause;
  readonly builtAt: string;
  readonly previous: string | null;
};

/** The name of the next version of a window. */
export function nextVersion(
  current: Pick<Pointer, 'sequence'> | null,
  fingerprint: string,
): { readonly sequence: number; readonly version: string } {
  const sequence = (current?.sequence ?? 0) + 1;
  return { sequence, version: `${String(sequence).padStart(6, '0')}-${fingerprint.slice(0, 12)}` };
}

export type PublishDecision =
  | { readonly kind: 'publish' }
  | { readonly kind: 'alreadyPublished' }
  | { readonly kind: 'superseded'; readonly by: string };

/**
 * What to do with a staged version, given the pointer as it lies there now. `basedOn` is the version
 * that the build began from; anything else in its place means that another build was faster.
 */
export function decidePublish(
  staged: Pick<Pointer, 'version' | 'previous'>,
  current: Pick<Pointer, 'version'> | null,
): PublishDecision {
  const found = current?.version ?? null;
  if (found === staged.version) return { kind: 'alreadyPublished' };
  if (found === staged.previous) return { kind: 'publish' };
  return { kind: 'superseded', by: found ?? 'nothing' };
}

/** Ascending batch numbers as ranges. */
export function toRanges(numbers: readonly number[]): NumberRange[] {
  const ranges: [number, number][] = [];
  for (const number of [...numbers].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && number <= last[1] + 1) last[1] = Math.max(last[1], number);
    else ranges.push([number, number]);
  }
  return ranges;
}

export function fromRanges(ranges: readonly NumberRange[]): number[] {
  return ranges.flatMap(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, index) => first + index),
  );
}

/** JSON with sorted keys: the text that fingerprints and hashes are made from. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(sorted(value));
}

function sorted(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(sorted);
  const record = value as Readonly<Record<string, unknown>>;
  const names = Object.keys(record).sort();
  return Object.fromEntries(names.map((name) => [name, sorted(record[name])]));
}
