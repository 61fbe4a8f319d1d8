import type { LogName } from './paths.ts';

/*
 * What people and settings want of the ingest of a dataset, as one small object of the lake. Every
 * lane reads it each second and makes itself equal to it: a level, so that nothing is lost when a
 * message is, and a lane need not end to learn of a change.
 */

export type Control = {
  readonly schema: 1;
  /** Grows with every change. */
  readonly revision: number;
  /** Topic partitions are dealt to so many lanes. */
  readonly lanes: number;
  /** Logs that a person has paused. */
  readonly paused: Readonly<Record<LogName, { readonly author: string; readonly reason: string }>>;
};

export const initialControl: Control = { schema: 1, revision: 0, lanes: 1, paused: {} };

export type ControlChange =
  | { readonly kind: 'lanes'; readonly lanes: number }
  | {
      readonly kind: 'pause';
      readonly log: LogName;
      readonly author: string;
      readonly reason: string;
    }
  /** The log is not paused any more, and whoever it has stopped for tries it again. */
  | { readonly kind: 'goOn'; readonly log: LogName };

/** The control after a change; the same one when it is already as it is wanted. */
export function changedControl(control: Control, change: ControlChange): Control {
  const revision = control.revision + 1;
  switch (change.kind) {
    case 'lanes':
      return change.lanes === control.lanes
        ? control
        : { ...control, revision, lanes: change.lanes };
    case 'pause': {
      const { log, author, reason } = change;
      const known = control.paused[log];
      if (known?.author === author && known.reason === reason) return control;
      return { ...control, revision, paused: { ...control.paused, [log]: { author, reason } } };
    }
    case 'goOn': {
      const { [change.log]: _gone, ...paused } = control.paused;
      return { ...control, revision, paused };
    }
  }
}
