import { clipped } from './clip.ts';
import type { OwnerState } from './owner-state.ts';

/*
 * Texts that builds bring into the state of the owner: shortened as they enter, so that the state
 * stays small. All of a verdict is in `dq_results`, and in the workflow of its build.
 */

const eventReasonBytes = 300;
const reasonBytesMax = 240;
const reasonBytesMin = 24;
const reasonsBytes = 1_200;
const checkBytes = 80;
const checksMax = 20;

export function eventReason(reason: string): string {
  return clipped(reason, eventReasonBytes);
}

/** The reason of one more parked window: the more are parked already, the shorter. */
export function parkedReason({ silver, gold }: OwnerState, reason: string): string {
  const parked = [...Object.values(silver), ...Object.values(gold)].filter(
    (window) => window.parked !== null,
  ).length;
  const share = Math.floor(reasonsBytes / (parked + 1));
  return clipped(reason, Math.max(reasonBytesMin, Math.min(reasonBytesMax, share)));
}

/** Names of checks, as many as anybody reads. */
export function knownChecks(checks: readonly string[]): readonly string[] {
  return checks.slice(0, checksMax).map((check) => clipped(check, checkBytes));
}
