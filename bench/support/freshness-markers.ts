/* Events whose way is watched, and how long each took to be seen at each stage. Pure but for itself. */

export const stages = ['silver', 'catalog', 'gold'] as const;
export type Stage = (typeof stages)[number];

export type Marker = {
  readonly id: string;
  /** When it was handed to the producer: its event time, and where its clock starts. */
  readonly producedMs: number;
};

export type Percentiles = {
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
};

export type StageResult = Percentiles & {
  readonly maxMs: number;
  readonly markers: number;
  /** Not seen when the watching ended; each counts with the time that it had waited by then. */
  readonly unseen: number;
};

export type MarkerBook = {
  readonly add: (markers: readonly Marker[]) => void;
  /** Markers that this stage has not shown yet. */
  readonly waiting: (stage: Stage) => readonly Marker[];
  readonly saw: (stage: Stage, ids: readonly string[], atMs: number) => void;
  readonly count: () => number;
  /** Of the markers produced in `[fromMs, untilMs)`. */
  readonly result: (stage: Stage, range: ProducedRange, nowMs: number) => StageResult | null;
};

export type ProducedRange = { readonly fromMs: number; readonly untilMs: number };

export function createMarkerBook(): MarkerBook {
  const all: Marker[] = [];
  const waiting = new Map(stages.map((stage) => [stage, new Map<string, Marker>()]));
  const tookMs = new Map(stages.map((stage) => [stage, new Map<string, number>()]));
  return {
    add: (markers) => {
      all.push(...markers);
      for (const open of waiting.values()) for (const each of markers) open.set(each.id, each);
    },
    waiting: (stage) => [...waiting.get(stage)!.values()],
    saw: (stage, ids, atMs) => {
      const open = waiting.get(stage)!;
      for (const id of ids) {
        const marker = open.get(id);
        if (marker === undefined) continue;
        open.delete(id);
        tookMs.get(stage)!.set(id, atMs - marker.producedMs);
      }
    },
    count: () => all.length,
    result: (stage, { fromMs, untilMs }, nowMs) => {
      const taken = tookMs.get(stage)!;
      const of = all.filter(({ producedMs }) => producedMs >= fromMs && producedMs < untilMs);
      if (of.length === 0) return null;
      const times = of.map(({ id, producedMs }) => taken.get(id) ?? nowMs - producedMs);
      return {
        ...percentiles(times),
        maxMs: Math.max(...times),
        markers: of.length,
        unseen: of.filter(({ id }) => !taken.has(id)).length,
      };
    },
  };
}

/** By nearest rank: each is a time that was measured. */
export function percentiles(times: readonly number[]): Percentiles {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number): number =>
    Math.round(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0);
  return { p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) };
}
