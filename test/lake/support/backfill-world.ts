import assert from 'node:assert/strict';
import { activeBackfill, countedOf } from '../../../src/lake/backfill.ts';
import { maskOf, windowsInDay } from '../../../src/lake/backfill-days.ts';
import {
  backfillAsked,
  backfillControlled,
  controlRefusal,
} from '../../../src/lake/backfill-control.ts';
import { backfillPlanned, backfillStep, backfillToPlan } from '../../../src/lake/owner-backfill.ts';
import { windowBuilt } from '../../../src/lake/owner-built.ts';
import { type Build, decideBuilds } from '../../../src/lake/owner-decisions.ts';
import { gateRefusal, gateResolved, parkedWindows } from '../../../src/lake/owner-gates.ts';
import type { OwnerState, WindowBuilt } from '../../../src/lake/owner-state.ts';
import { buildStarted, forgetFlights, prune, routed } from '../../../src/lake/owner.ts';
import type { WindowId } from '../../../src/lake/window.ts';
import { nowMs, owner, settings } from './owner-states.ts';

/*
 * An owner with backfills, and what carries its decisions out, as the workflow does: look-ups, builds
 * and their reports take their time, and other messages come between.
 */

export type Outcome = 'published' | 'unchanged' | 'blocked' | 'failed' | 'superseded';

const nextToClose = '2026-08-21T13';

export class BackfillWorld {
  state: OwnerState = owner({ nextToClose });
  nowMs = nowMs;
  readonly flights = new Map<string, Build>();
  /** Windows whose build for a backfill was started, in order. */
  readonly started: string[] = [];
  /** Looked at now and then. */
  bytesMax = 0;
  private rounds = 0;
  private confused = false;
  /** Builds that still run although a new run of the owner does not know of them. */
  private readonly forgotten = new Set<string>();
  private lookUp: { readonly id: string; readonly first: WindowId } | null = null;

  ask(range: {
    from: string;
    to: string;
    only?: 'all' | 'failed';
    order?: 'oldest' | 'newest';
  }): void {
    const common = { layers: ['silver', 'gold'], only: 'all', order: 'oldest', id: null } as const;
    const request = { ...common, author: 'ops', reason: 'a reason', ...range };
    this.state = backfillAsked(this.state, request, this.nowMs);
  }

  control(index: number, action: 'pause' | 'resume' | 'cancel'): void {
    const { backfills } = this.state;
    const found = backfills[index % Math.max(1, backfills.length)];
    if (found === undefined) return;
    const request = { id: found.id, action, author: 'ops', reason: 'a reason' };
    if (controlRefusal(this.state, request) !== null) return;
    const { gold } = settings;
    this.state = backfillControlled(this.state, request, { gold, nowMs: this.nowMs });
  }

  rows(window: WindowId): void {
    const windows = [{ window, log: 'a-0', first: 9, last: 9, rows: 1 }];
    this.state = routed(this.state, { through: { 'a-0': 9 }, windows, batches: 1 }, this.nowMs);
  }

  retry(index: number): void {
    const parked = parkedWindows(this.state);
    const found = parked[index % Math.max(1, parked.length)];
    if (found === undefined) return;
    const { layer, table, window } = found;
    const said = { decision: 'retry', author: 'ops', reason: '' } as const;
    const request = { layer, table, window, ...said };
    if (gateRefusal(this.state, request) !== null) return;
    this.state = gateResolved(this.state, request, this.nowMs);
  }

  continueAsNew(): void {
    // The workflow waits for a look-up before it begins a new run.
    this.planEnds();
    this.confused = true;
    for (const key of this.flights.keys()) this.forgotten.add(key);
    this.state = forgetFlights(JSON.parse(JSON.stringify(this.state)) as OwnerState);
  }

  finish(index: number, outcome: Outcome): void {
    const key = [...this.flights.keys()][index % Math.max(1, this.flights.size)];
    const build = key === undefined ? undefined : this.flights.get(key);
    if (key === undefined || build === undefined) return;
    this.land(key);
    this.state = windowBuilt(this.state, reportOf(build, outcome), settings.gold, this.nowMs);
  }

  private land(key: string): void {
    this.flights.delete(key);
    this.forgotten.delete(key);
  }

  /** The bronze of the first build is gone, and it is refused. */
  finishPastRetention(): void {
    const [key, build] = [...this.flights][0]!;
    this.land(key);
    const refused = { ...reportOf(build, 'failed'), reason: 'RETENTION_PASSED: they are gone' };
    this.state = windowBuilt(this.state, refused, settings.gold, this.nowMs);
  }

  planEnds(): void {
    if (this.lookUp === null) return;
    const { id, first } = this.lookUp;
    this.lookUp = null;
    const backfill = this.state.backfills.find((each) => each.id === id);
    if (backfill === undefined) return;
    const mask = (grain: 'hour' | 'day') =>
      maskOf(windowsInDay(backfill, first, grain).map((window) => window.id));
    const gold = Object.fromEntries(settings.gold.map(({ name, grain }) => [name, mask(grain)]));
    const plan = { day: first, silver: mask('hour'), gold, skipped: 0, empty: 0 };
    this.state = backfillPlanned(this.state, { id, first, plan });
  }

  round(): void {
    this.nowMs += 1_000;
    for (let step = 0; ; step += 1) {
      assert.ok(step < 10, 'the owner comes to rest');
      const next = backfillStep(this.state, settings, this.nowMs);
      if (next === this.state) break;
      this.state = next;
    }
    const toPlan = this.lookUp === null ? backfillToPlan(this.state) : null;
    if (toPlan?.next != null) this.lookUp = { id: toPlan.id, first: toPlan.next };
    for (const build of decideBuilds(this.state, settings, this.nowMs)) this.start(build);
    const backfilled = [...this.flights].filter(
      ([key, { cause }]) => cause.kind === 'backfill' && !this.forgotten.has(key),
    );
    const isAllowed = backfilled.length <= settings.backfillBuildsMax;
    assert.ok(isAllowed, 'no more builds of backfills at once than allowed');
    this.state = prune(this.state);
    this.rounds += 1;
    if (this.rounds % 7 !== 0) return;
    this.bytesMax = Math.max(this.bytesMax, JSON.stringify(this.state).length);
  }

  /** Until no backfill is left to be worked on. */
  quiesce(roundsMax: number): void {
    for (let round = 0; round < roundsMax; round += 1) {
      this.planEnds();
      while (this.flights.size > 0) this.finish(0, 'published');
      this.round();
      const isIdle = this.lookUp === null && this.flights.size === 0;
      if (isIdle && activeBackfill(this.state.backfills) === null) return;
    }
    assert.fail(`not quiet after ${roundsMax} rounds: ${JSON.stringify(this.state.backfills)}`);
  }

  /** Each window of an ended backfill was counted once. */
  checkCounts(): void {
    for (const { ended, counts, total } of this.state.backfills) {
      if (ended?.kind === 'done') assert.equal(countedOf(counts), total);
    }
  }

  private start(build: Build): void {
    const key = build.kind === 'buildGold' ? build.key : `silver/${build.window}`;
    if (this.flights.has(key)) {
      assert.ok(this.confused, `${key} was started twice`);
      return;
    }
    if (build.cause.kind === 'backfill') this.started.push(key);
    this.flights.set(key, build);
    this.state = buildStarted(this.state, build, this.nowMs);
  }
}

function reportOf(build: Build, outcome: Outcome): WindowBuilt {
  const checks = outcome === 'blocked' ? ['totals'] : [];
  const told = { rows: 1, version: null, durationMs: 1, reason: outcome, checks } as const;
  const common = { window: build.window, outcome, cause: build.cause, ...told } as const;
  if (build.kind === 'buildGold') return { layer: 'gold', table: build.table, ...common };
  const through = Object.fromEntries(
    Object.entries(build.pending).map(([log, range]) => [log, range.through]),
  );
  const done = outcome === 'published' || outcome === 'unchanged';
  return { layer: 'silver', mode: build.mode, through: done ? through : {}, ...common };
}
