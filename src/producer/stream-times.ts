import { hourMs, startOfHour } from '../lake/time.ts';
import type { Random } from './random.ts';

/** Share of a day's traffic by UTC hour: quiet at night, busiest in the evening. */
export const hourWeights = [
  18, 12, 8, 6, 6, 8, 14, 24, 36, 46, 52, 56, 60, 58, 54, 52, 54, 60, 70, 82, 90, 84, 60, 34,
] as const;

export type SpreadTimes = {
  readonly startMs: number;
  /** Exclusive. */
  readonly endMs: number;
  readonly count: number;
  readonly random: Random;
};

/** So many instants of the range, ascending, as dense as the rhythm of the day is at each hour. */
export function* spreadTimes({ startMs, endMs, count, random }: SpreadTimes): Generator<number> {
  const hours = [...hoursOf(startMs, endMs)];
  const total = hours.reduce((sum, { weight }) => sum + weight, 0);
  let passed = 0;
  let at = 0;
  for (let index = 0; index < count; index += 1) {
    // One draw in each of `count` equal parts of the traffic: no sorting, no memory.
    const wanted = ((index + random.next()) / count) * total;
    for (let hour = hours[at]; hour !== undefined; hour = hours[at]) {
      if (passed + hour.weight > wanted || at === hours.length - 1) break;
      passed += hour.weight;
      at += 1;
    }
    const hour = hours[at];
    if (hour === undefined) return;
    const part = (wanted - passed) / hour.weight;
    const instant = hour.fromMs + part * (hour.toMs - hour.fromMs);
    yield Math.min(endMs - 1, Math.max(startMs, Math.floor(instant)));
  }
}

type Hour = { readonly fromMs: number; readonly toMs: number; readonly weight: number };

/** The hours that the range touches, the first and the last perhaps in part. */
function* hoursOf(startMs: number, endMs: number): Generator<Hour> {
  for (let hour = startOfHour(startMs); hour < endMs; hour += hourMs) {
    const fromMs = Math.max(hour, startMs);
    const toMs = Math.min(hour + hourMs, endMs);
    const perHour = hourWeights[new Date(hour).getUTCHours()] ?? 1;
    yield { fromMs, toMs, weight: (perHour * (toMs - fromMs)) / hourMs };
  }
}

/** Instants at an even pace from the start on; without a count, without an end. */
export function* pacedTimes(options: {
  readonly startMs: number;
  readonly ratePerSecond: number;
  readonly count: number | undefined;
}): Generator<number> {
  const { startMs, ratePerSecond, count = Number.POSITIVE_INFINITY } = options;
  for (let index = 0; index < count; index += 1) {
    // From the index and not from the last instant, so that rounding does not add up.
    yield startMs + Math.floor((index * 1_000) / ratePerSecond);
  }
}
