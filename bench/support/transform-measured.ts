import type { BuildTime } from './lake-builds.ts';
import type { Filled } from './lake-fill.ts';
import type { Measured } from './measure.ts';

/** What a process that fills a lake, or builds in it, came to. */
export type TransformMeasured = Measured & {
  readonly fills: readonly Filled[];
  readonly silver: readonly BuildTime[];
  readonly gold: readonly BuildTime[];
};
