import { nowMs } from './clock.ts';

const firstMs = 1_000;
const longestMs = 60_000;

/** What must not be tried just now, by name: for a time that grows with each try, or until told. */
export type Waits = {
  readonly isWaiting: (name: string) => boolean;
  /** Tried in vain: the next try is later than the last one was. */
  readonly tryLater: (name: string) => void;
  readonly waitUntilTold: (name: string) => void;
  readonly tell: (name: string) => void;
  /** The next try need not wait any longer; what waits to be told goes on waiting. */
  readonly hurry: (name: string) => void;
  /** When the next wait is over by itself; `null` when none will. */
  readonly nextMs: () => number | null;
};

export function createWaits(): Waits {
  const waits = new Map<string, { readonly untilMs: number; readonly lengthMs: number }>();
  return {
    isWaiting: (name) => nowMs() < (waits.get(name)?.untilMs ?? 0),
    tryLater: (name) => {
      const lengthMs = Math.min(2 * (waits.get(name)?.lengthMs ?? firstMs / 2), longestMs);
      waits.set(name, { untilMs: nowMs() + lengthMs, lengthMs });
    },
    waitUntilTold: (name) => void waits.set(name, { untilMs: Infinity, lengthMs: firstMs / 2 }),
    tell: (name) => void waits.delete(name),
    hurry: (name) => {
      if (waits.get(name)?.untilMs !== Infinity) waits.delete(name);
    },
    nextMs: () => {
      const later = [...waits.values()]
        .map(({ untilMs }) => untilMs)
        .filter((ms) => ms > nowMs() && ms < Infinity);
      return later.length === 0 ? null : Math.min(...later);
    },
  };
}
