import { type Tally, addTallies, emptyTally } from '../lake/janitor-tally.ts';
import type { Dataset } from '../lake/dataset.ts';
import type { JanitorCursor, JanitorReport, SweepInput, SweepResult } from '../lake/messages.ts';
import { type IngestFiled, janitorRunKey, retentionKey } from '../lake/paths.ts';
import { type Retention, announce } from '../lake/retention.ts';
import type { WindowedTable } from '../lake/table.ts';
import { formatInstant } from '../lake/time.ts';
import { jsonBytes } from './json-objects.ts';
import { nextDate, sweepDate } from './janitor-dates.ts';
import { nextHour, sweepHour } from './janitor-hours.ts';
import { nextLanding, sweepLanding } from './janitor-landing.ts';
import { type JanitorDeps, type Sweeping, createPointerCache } from './janitor-page.ts';
import { type StoredRetention, readRetention } from './retention.ts';

/*
 * Removing what is past its time, page by page. Each page may run twice: it looks anew, and what is
 * already gone is gone. What may go is decided in lake/janitor.ts and lake/retention.ts.
 */

export type JanitorActivities = {
  sweep(input: SweepInput): Promise<SweepResult>;
  recordSweep(report: JanitorReport): Promise<void>;
};

/** A page ends after so many dates and hours, or so many objects removed. */
const unitsMax = 50;
const removedMax = 5_000;

export function createJanitorActivities(deps: JanitorDeps): JanitorActivities {
  return {
    sweep: (input) => sweep(deps, input),
    recordSweep: async (report) => {
      const key = janitorRunKey(report.dataset, report.startedAt);
      const finishedAt = formatInstant(deps.ports.now());
      await deps.ports.objects.replaceObject(key, jsonBytes({ schema: 1, ...report, finishedAt }));
    },
  };
}

type Step =
  | { readonly kind: 'announce' }
  | { readonly kind: 'table'; readonly table: WindowedTable }
  | { readonly kind: IngestFiled }
  | { readonly kind: 'landing' };

function stepsOf(dataset: Dataset): readonly Step[] {
  const tables = [dataset.silver, ...dataset.gold].map((table) => ({
    kind: 'table' as const,
    table,
  }));
  return [
    { kind: 'announce' },
    ...tables,
    { kind: 'bronze' },
    { kind: 'raw' },
    { kind: 'deadLetters' },
    { kind: 'landing' },
  ];
}

async function sweep(deps: JanitorDeps, { dryRun, cursor }: SweepInput): Promise<SweepResult> {
  const steps = stepsOf(deps.dataset);
  const nowMs = deps.ports.now();
  const stored = await readRetention(deps.ports.objects, deps.dataset.name);
  const sweeping: Sweeping = {
    deps,
    dryRun,
    nowMs,
    retention: announced(deps, stored.retention, nowMs),
    pointers: createPointerCache(deps),
  };
  let at = cursor;
  let tally = emptyTally;
  for (let unit = 0; unit < unitsMax && removedBy(tally) < removedMax; unit += 1) {
    const step = steps[at.step];
    if (step === undefined) return { next: null, at: 'the end', tally };
    const done = await sweepUnit(sweeping, { step, after: at.after, stored });
    tally = addTallies(tally, done.tally);
    at = done.after === null ? { step: at.step + 1, after: '' } : { ...at, after: done.after };
  }
  return { next: at, at: describe(steps[at.step], at), tally };
}

function announced({ days, graceMs }: JanitorDeps, retention: Retention, nowMs: number): Retention {
  return announce(retention, { days, nowMs, graceMs });
}

/** `after`: the date or hour that is done, `null` when the step has no more. */
type UnitDone = { readonly after: string | null; readonly tally: Tally };

async function sweepUnit(
  sweeping: Sweeping,
  from: { readonly step: Step; readonly after: string; readonly stored: StoredRetention },
): Promise<UnitDone> {
  const { step, after, stored } = from;
  switch (step.kind) {
    case 'announce':
      await keepAnnounced(sweeping, stored);
      return { after: null, tally: emptyTally };
    case 'table': {
      const date = await nextDate(sweeping, step.table, after);
      if (date === null) return { after: null, tally: emptyTally };
      return { after: date, tally: await sweepDate(sweeping, step.table, date) };
    }
    case 'bronze':
    case 'raw':
    case 'deadLetters': {
      const hour = await nextHour(sweeping, step.kind, after);
      if (hour === null) return { after: null, tally: emptyTally };
      return { after: hour.folder, tally: await sweepHour(sweeping, step.kind, hour) };
    }
    case 'landing': {
      const page = await nextLanding(sweeping, after);
      if (page === null) return { after: null, tally: emptyTally };
      return { after: page.at(-1)!.key, tally: await sweepLanding(sweeping, page) };
    }
  }
}

/** Nothing behind a bound is removed that was not announced in the lake a whole grace before. */
async function keepAnnounced(
  { deps, dryRun, retention }: Sweeping,
  { retention: known, etag }: StoredRetention,
): Promise<void> {
  const [before, after] = [jsonBytes(known), jsonBytes(retention)];
  if (dryRun || Buffer.compare(before, after) === 0) return;
  // Whoever was faster has announced as much; the next page reads it.
  await deps.ports.objects.swapObject(retentionKey(deps.dataset.name), after, etag);
}

function removedBy({ removed }: Tally): number {
  return Object.values(removed).reduce((sum, { objects }) => sum + objects, 0);
}

function describe(step: Step | undefined, { after }: JanitorCursor): string {
  if (step === undefined) return 'the end';
  const what = step.kind === 'table' ? `${step.table.layer}/${step.table.name}` : step.kind;
  return after === '' ? what : `${what} after ${after}`;
}
