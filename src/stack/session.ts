import type { PartSetting } from './parts.ts';
import type { StackReport } from './report.ts';

/** One call of `ensureStack`, `stopStack` or `stackStatus`, with every default filled in. */
export type Session = PartSetting & {
  /** The folder of this stack's data, logs and records. */
  readonly stack: string;
  readonly report: StackReport;
  readonly signal: AbortSignal | undefined;
};
