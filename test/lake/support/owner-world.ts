// Longer than 300 lines because the simulated world is one machine, and its parts make sense together only.
import assert from 'node:assert/strict';
import {
  type Build,
  type OwnerSettings,
  type ReleasedDue,
  decideBuilds,
  decideRoute,
  nextLookMs,
  releasedDues,
} from '../../../src/lake/owner-decisions.ts';
import {
  type LogAdvanced,
  type OwnerState,
  type Routed,
  type WindowBuilt,
  isClosed,
  newOwner,
  settledTo,
  withheldWindows,
} from '../../../src/lake/owner-state.ts';
import {
  buildStarted,
  closeHours,
  dueReleased,
  forgetFlights,
  hourDue,
  logAdvanced,
  prune,
  routed,
} from '../../../src/lake/owner.ts';
import { windowBuilt } from '../../../src/lake/owner-built.ts';
import {
  type PackedOwner,
  packOwner,
  packedBytes,
  packedBytesMax,
  unpackOwner,
} from '../../../src/lake/owner-packed.ts';
import {
  type QueueLimits,
  decideQueue,
  decideTake,
  queued,
  takenUp,
} from '../../../src/lake/owner-queue.ts';
import type { GateDecision } from '../../../src/lake/owner-events.ts';
import { gateRefusal, gateResolved, parkedWindows } from '../../../src/lake/owner-gates.ts';
import { noteOf } from '../../../src/lake/ledger.ts';
import type { BatchFacts } from '../../../src/lake/checkpoint.ts';
import type { BatchRanges } from '../../../src/lake/owner-parts.ts';
import { type WildLook, wildTakenUp, wildToLook } from '../../../src/lake/owner-wild-builds.ts';
import { isWildGate, wildGate } from '../../../src/lake/owner-wild.ts';
import { routeOf, wildPortionOf } from '../../../src/lake/route.ts';
import { wildWindows } from '../../../src/lake/wild-times.ts';
import { restored } from '../../../src/lake/owner-restored.ts';
import { rewindRefusal, rewound } from '../../../src/lake/owner-rewind.ts';
import { type BuildMode, fromRanges } from '../../../src/lake/pointer.ts';
import { formatInstant, hourMs } from '../../../src/lake/time.ts';
import { type WindowId, overlapping, windowAt, windowOf } from '../../../src/lake/window.ts';

/*
 * A small world around the owner of the windows: source logs that seal batches, an executor that
 * builds versions, and a mailbox whose messages arrive late and in any order. It does with the pure
 * owner what the workflow `lakehouse` does, and checks at every step what must always hold.
 */

export const startMs = Date.UTC(2026, 7, 21, 10);

/** In this world a batch may touch no more windows than this. */
export const batchWindowsMax = 3;

export type Batch = {
  readonly ingestHour: WindowId;
  readonly rows: Readonly<Record<WindowId, number>>;
};

type Log = {
  /** One for each number; a takeover is a batch without rows. */
  readonly batches: Batch[];
  frontierMs: number;
  /** What was ever promised: everything before the frontier is in batches up to there. */
  readonly promises: { readonly sealedTo: number; readonly frontierMs: number }[];
};

/** What lies in the lake of a window. */
export type SilverVersion = {
  readonly version: number;
  readonly mode: BuildMode;
  readonly batches: ReadonlySet<string>;
  readonly through: Readonly<Record<string, number>>;
};
export type GoldVersion = { readonly from: string; readonly complete: boolean };

type Flight = { readonly build: Build; readonly startedMs: number; readonly from: string };
type Message =
  | { readonly kind: 'logAdvanced'; readonly message: LogAdvanced }
  | { readonly kind: 'windowBuilt'; readonly message: WindowBuilt };

export type Outcome = 'good' | 'superseded' | 'failed';

export type WorldOptions = {
  readonly settings: OwnerSettings;
  /** Far less room than there is, so that windows are queued all the time. */
  readonly queueLimits?: QueueLimits;
  /** Hours whose checks fail: of every build, or of folds only. */
  readonly bad: Readonly<Record<WindowId, 'always' | 'folds'>>;
};

export class OwnerWorld {
  readonly logs = new Map<string, Log>();
  readonly silver = new Map<WindowId, SilverVersion>();
  readonly gold = new Map<string, GoldVersion>();
  /** Silver that the last failed gold build was about, by gold key. */
  readonly goldVerdicts = new Map<string, string>();
  readonly failed = new Set<WindowId>();
  readonly queueObjects = new Map<number, string>();
  queuedOnce = 0;
  heldOnce = 0;
  private readonly abandonedOnce: BatchRanges[] = [];
  private look: WildLook | null = null;
  private ledger: string | null = null;
  readonly released: ReleasedDue[] = [];
  readonly accepted: WindowId[] = [];
  readonly flights = new Map<string, Flight>();
  readonly options: WorldOptions;
  /** The first hour that is published even when it is empty; null before the first report. */
  firstHour: WindowId | null = null;
  state: OwnerState = newOwner('events');
  nowMs = startMs;
  private readonly mailbox: Message[] = [];
  private readonly confused = new Set<string>();
  private routing: ReturnType<typeof decideRoute> | null = null;
  private versions = 0;
  private refused = false;

  constructor(options: WorldOptions) {
    this.options = options;
  }

  // ── What happens around the owner ───────────────────────────────────────────────────────────

  seal(log: string, rows: Batch['rows']): void {
    const ingestHour = windowAt(this.nowMs, 'hour').id;
    this.logOf(log).batches.push({ ingestHour, rows });
  }

  /** A lane says how far its logs are; `behindMs` is how far reading lies behind the clock. */
  report(log: string, behindMs: number): void {
    const known = this.logOf(log);
    known.frontierMs = Math.max(known.frontierMs, this.nowMs - behindMs);
    const promise = { sealedTo: known.batches.length - 1, frontierMs: known.frontierMs };
    known.promises.push(promise);
    const frontier = formatInstant(promise.frontierMs);
    const logs = [{ log, sealedTo: promise.sealedTo, frontier }];
    this.mailbox.push({ kind: 'logAdvanced', message: { logs } });
  }

  /** Delivers one message, of any age. A level may come again; a report of a build never does. */
  deliver(index: number, again = false): void {
    const at = index % Math.max(1, this.mailbox.length);
    const found = this.mailbox[at];
    if (found === undefined) return;
    if (!again || found.kind === 'windowBuilt') this.mailbox.splice(at, 1);
    const { gold } = this.options.settings;
    this.state =
      found.kind === 'logAdvanced'
        ? logAdvanced(this.state, found.message, this.nowMs)
        : windowBuilt(this.state, found.message, gold, this.nowMs);
    this.firstHour ??= this.state.nextToClose;
    this.clearConfusion();
  }

  due(hour: WindowId): void {
    if (!this.state.dues.some((due) => due.hour === hour)) this.accepted.push(hour);
    this.state = hourDue(this.state, hour, this.nowMs);
  }

  /** A person decides about a parked window, if there is one. */
  resolve(index: number, decision: GateDecision): void {
    const parked = parkedWindows(this.state);
    const found = parked[index % Math.max(1, parked.length)];
    if (found === undefined) return;
    const { layer, table, window } = found;
    const request = { layer, table, window, decision, author: 'ops', reason: 'seen' };
    const refused = gateRefusal(this.state, request);
    const { parked: held, going } = this.state.wild;
    const isRefused = isWildGate(found)
      ? decision !== 'abandon' && going !== null
      : decision === 'waive' && found.checks.length === 0;
    assert.equal(refused !== null, isRefused);
    if (refused !== null) return;
    if (isWildGate(found) && decision === 'abandon') this.abandonedOnce.push(held!.batches);
    this.state = gateResolved(this.state, request, this.nowMs);
  }

  /** A person lets in, in the end, what was held. */
  letWildIn(): void {
    this.heldOnce += Number(this.state.wild.parked !== null);
    const said = { decision: 'waive', author: 'ops', reason: 'seen' } as const;
    const request = { ...wildGate, ...said };
    if (gateRefusal(this.state, request) === null) {
      this.state = gateResolved(this.state, request, this.nowMs);
    }
  }

  /** Whether rows of a batch were held and given up by a person. */
  wasAbandoned(log: string, number: number, window: WindowId): boolean {
    const isGivenUp = this.abandonedOnce.some(
      ({ [log]: range }) => range !== undefined && range.first <= number && number <= range.through,
    );
    return isGivenUp && this.isWild(log, number, window);
  }

  setPaused(paused: boolean): void {
    this.state = { ...this.state, paused };
  }

  /** Only between two rounds of the loop, as in the workflow. */
  continueAsNew(): void {
    if (this.routing !== null) return;
    const packed = JSON.parse(JSON.stringify(packOwner(this.state))) as PackedOwner;
    const copy = unpackOwner(packed);
    assert.deepEqual(copy, this.state, 'the state is the same after it was packed');
    assert.ok(packedBytes(this.state) < packedBytesMax, 'the state is small');
    for (const key of this.flights.keys()) this.confused.add(key);
    for (const message of this.mailbox) {
      if (message.kind === 'windowBuilt') this.confused.add(keyOfReport(message.message));
    }
    this.state = forgetFlights(copy);
  }

  /** A person wants batches to be routed once more. */
  rewind(log: string, back: number): void {
    const known = this.state.logs[log];
    if (known === undefined || this.routing !== null) return;
    const to = { [log]: known.routedTo - back };
    const request = { to, author: 'ops', reason: 'sql has changed' };
    const refused = rewindRefusal(this.state, request);
    assert.equal(refused !== null, back === 0 || to[log]! < -1);
    if (refused === null) this.state = rewound(this.state, request, this.nowMs);
  }

  /** What the workflow has kept in the lake: the state as it is between two rounds. */
  keepLedger(): void {
    if (this.routing !== null) return;
    this.ledger = JSON.stringify(noteOf(this.state, this.nowMs).state);
  }

  /** Temporal's database is gone, and with it what was on its way; the lanes tell again. */
  loseOwner(): void {
    if (this.ledger === null || this.routing !== null || this.state.paused) return;
    for (const key of this.flights.keys()) this.confused.add(key);
    this.mailbox.length = 0;
    this.look = null;
    const found = {
      state: unpackOwner(JSON.parse(this.ledger) as PackedOwner),
      head: { next: 1, hash: 'x' },
      at: formatInstant(this.nowMs),
    };
    // An owner that has lost its first hour before the ledger knew of it begins where it is told anew.
    if (found.state.nextToClose === null) this.firstHour = null;
    let fresh = newOwner('events');
    for (const log of this.logs.keys()) {
      this.report(log, 0);
      const told = this.mailbox.pop();
      if (told?.kind === 'logAdvanced') fresh = logAdvanced(fresh, told.message, this.nowMs);
    }
    this.state = restored(fresh, found, this.nowMs);
    this.released.length = this.accepted.length = 0;
    this.accepted.push(...this.state.dues.map(({ hour }) => hour));
    this.clearConfusion();
  }

  /** Ends a running build and posts its report. */
  finish(index: number, outcome: Outcome): void {
    const key = [...this.flights.keys()][index % Math.max(1, this.flights.size)];
    const flight = key === undefined ? undefined : this.flights.get(key);
    if (key === undefined || flight === undefined) return;
    this.flights.delete(key);
    const message =
      flight.build.kind === 'buildSilver'
        ? this.finishSilver(flight.build, outcome)
        : this.finishGold(flight, flight.build.key, outcome);
    const durationMs = this.nowMs - flight.startedMs;
    this.mailbox.push({ kind: 'windowBuilt', message: { ...message, durationMs } });
  }

  // ── One round of the workflow's loop ────────────────────────────────────────────────────────

  round(): void {
    const { settings } = this.options;
    if (this.routing === null) {
      const ranges = decideRoute(this.state, 2);
      this.checkBookmark();
      // Routing is an activity: messages arrive before its answer does.
      if (ranges.length > 0) {
        this.routing = ranges;
        return;
      }
    } else {
      this.state = routed(this.state, this.route(this.routing), this.nowMs);
      this.routing = null;
    }
    this.settle();
    this.lookForWild();
    this.refused = false;
    for (const build of decideBuilds(this.state, settings, this.nowMs)) {
      this.state = buildStarted(this.state, build, this.nowMs);
      this.start(build);
    }
    this.state = prune(this.state);
    const known = this.state;
    this.serveQueue();
    // What was taken up is looked at in the next round, which follows at once.
    if (this.state !== known) return;
    // What was refused is tried again by the workflow's own timer.
    // A paused owner sleeps until it is resumed.
    if (!this.refused && !this.state.paused) this.checkWakeUp();
  }

  /** As the workflow does, with a queue that is a map instead of a folder. */
  private serveQueue(): void {
    const { settings, queueLimits: limits } = this.options;
    for (;;) {
      const leaving = decideQueue(this.state, settings.foldHorizonMs, limits);
      if (leaving === null) break;
      const object = JSON.stringify(packOwner({ ...newOwner('events'), ...leaving }));
      this.queueObjects.set(this.state.queue.next, object);
      this.state = queued(this.state, leaving);
      this.queuedOnce += 1;
    }
    const number = decideTake(this.state, limits);
    if (number === null) return;
    const object = this.queueObjects.get(number);
    assert.ok(object !== undefined, 'a queued object is there');
    this.state = takenUp(this.state, number, unpackOwner(JSON.parse(object) as PackedOwner));
  }

  /** Lets everything come to an end; answers after how many rounds nothing was left to do. */
  quiesce(roundsMax: number): void {
    for (let round = 0; round < roundsMax; round += 1) {
      while (this.mailbox.length > 0) this.deliver(0);
      while (this.flights.size > 0) this.finish(0, 'good');
      const before = JSON.stringify(this.state);
      this.round();
      const isQuiet =
        before === JSON.stringify(this.state) &&
        this.routing === null &&
        this.flights.size === 0 &&
        this.mailbox.length === 0;
      if (!isQuiet) continue;
      const lookMs = nextLookMs(this.state, this.options.settings, this.nowMs);
      if (lookMs === null) return;
      assert.ok(lookMs > this.nowMs, 'the next look lies ahead');
      this.nowMs = lookMs;
    }
    assert.fail(`not quiet after ${roundsMax} rounds`);
  }

  silverVersionsOf(gold: WindowId): string {
    const hours = overlapping(windowOf(gold), 'hour');
    return hours.map(({ id }) => this.silver.get(id)?.version ?? '-').join();
  }

  private settle(): void {
    const { settings } = this.options;
    this.state = closeHours(this.state, settings.allowedLatenessMs, this.nowMs);
    for (const due of releasedDues(this.state, settings, this.nowMs)) {
      const { sinceMs } = this.state.dues.find(({ hour }) => hour === due.hour)!;
      const waited = this.nowMs >= sinceMs + settings.maxWaitMs;
      assert.ok(due.complete || waited, 'only a due that has waited long enough is incomplete');
      this.released.push(due);
      this.state = dueReleased(this.state, due, settings.gold, this.nowMs);
    }
  }

  private route(ranges: ReturnType<typeof decideRoute>): Routed {
    const batches = ranges.flatMap((range) => this.factsOf(range));
    return routeOf(batches, ranges, batchWindowsMax).routed;
  }

  /** One look takes until the next round, and messages come between. */
  private lookForWild(): void {
    const { look } = this;
    this.look = null;
    if (look === null) {
      this.look = wildToLook(this.state);
      return;
    }
    const { heldFrom, after, decision } = look;
    const windowsMax = decision === 'waive' ? Infinity : batchWindowsMax;
    const found = wildPortionOf(this.factsOf(look), {
      ...{ heldFrom, windowsMax, after },
      portionMax: 1,
    });
    this.state = wildTakenUp(this.state, look, found, this.nowMs);
  }

  private factsOf(range: { log: string; first: number; through: number }): readonly BatchFacts[] {
    const { log, first, through } = range;
    const found = this.logOf(log).batches.slice(first, through + 1);
    return found.map(({ ingestHour, rows }, index) => {
      return { log, number: first + index, ingestHour, rowsPerEventHour: rows };
    });
  }

  private isWild(log: string, number: number, window: WindowId): boolean {
    const facts = this.factsOf({ log, first: number, through: number });
    return facts.some((batch) => wildWindows(batch, batchWindowsMax).includes(window));
  }

  // ── The executor ────────────────────────────────────────────────────────────────────────────

  private start(build: Build): void {
    assert.ok(!this.state.paused, 'nothing is built while paused');
    const key = keyOfBuild(build);
    if (this.flights.has(key)) {
      // Temporal refuses a second workflow of one id; only a forgotten flight may ask for it.
      assert.ok(this.confused.has(key), `${key} was started twice`);
      this.state = notStarted(this.state, build);
      this.refused = true;
      return;
    }
    const { buildsMax, backfillBuildsMax } = this.options.settings;
    assert.ok(
      this.flights.size < buildsMax + backfillBuildsMax + this.confused.size,
      'no more builds at once than allowed',
    );
    if (build.kind === 'buildSilver') this.checkSilverStart(build);
    else this.checkGoldStart(build);
    const from = build.kind === 'buildGold' ? this.silverVersionsOf(build.window) : '';
    this.flights.set(key, { build, startedMs: this.nowMs, from });
  }

  private finishSilver(build: Build & { kind: 'buildSilver' }, outcome: Outcome): WindowBuilt {
    const { window, mode, pending, cause } = build;
    const told = { durationMs: 0, reason: null, rows: 0, checks: [], cause };
    const none = { layer: 'silver', window, mode, ...told } as const;
    const ended = { ...none, through: {}, version: null };
    if (outcome === 'failed') {
      this.failed.add(window);
      return { ...ended, outcome: 'failed', reason: 'a fault' };
    }
    const bad = this.options.bad[window];
    const isWaived = build.waiver?.checks.includes('totals') === true;
    if (!isWaived && (bad === 'always' || (bad === 'folds' && mode === 'fold'))) {
      return { ...ended, outcome: 'blocked', reason: 'a check', checks: ['totals'] };
    }
    const current = this.silver.get(window);
    if (outcome === 'superseded') {
      // An older build, forgotten by everybody, has published the same content once more.
      if (current !== undefined) this.publish(window, current);
      return { ...ended, outcome: 'superseded' };
    }
    const batches = new Set(current?.batches ?? []);
    const through: Record<string, number> = { ...current?.through };
    for (const [log, range] of Object.entries(pending)) {
      const seenTo = current?.through[log] ?? -1;
      // As silver-inputs.ts does: a whole build looks at all that its pointer has not seen, or is pending.
      const first =
        mode === 'fold' ? Math.max(range.first, seenTo + 1) : Math.min(range.first, seenTo + 1);
      for (const number of first > range.through ? [] : fromRanges([[first, range.through]])) {
        if (this.rowsOf(log, number, window) > 0) batches.add(`${log}/${number}`);
      }
      through[log] = Math.max(through[log] ?? -1, range.through);
    }
    const isSame = current !== undefined && batches.size === current.batches.size;
    if (isSame && (mode === 'fold' || current.mode !== 'fold')) {
      return { ...ended, outcome: 'unchanged', through };
    }
    this.publish(window, { mode, batches, through });
    return { ...ended, outcome: 'published', through, version: String(this.versions) };
  }

  private publish(window: WindowId, content: Omit<SilverVersion, 'version'>): void {
    this.versions += 1;
    const { mode, batches, through } = content;
    this.silver.set(window, { version: this.versions, mode, batches, through });
  }

  private finishGold(flight: Flight, key: string, outcome: Outcome): WindowBuilt {
    const build = flight.build as Build & { kind: 'buildGold' };
    const { table, window, complete, cause } = build;
    const none = { rows: 0, durationMs: 0, version: null, checks: [], cause };
    const ended = { layer: 'gold', table, window, ...none } as const;
    if (outcome === 'superseded') return { ...ended, outcome, reason: 'another' };
    this.goldVerdicts.set(key, flight.from);
    if (outcome === 'failed') return { ...ended, outcome, reason: 'a fault' };
    const known = this.gold.get(key);
    if (known?.from === flight.from && known.complete === complete) {
      return { ...ended, outcome: 'unchanged', reason: null };
    }
    this.gold.set(key, { from: flight.from, complete });
    return { ...ended, outcome: 'published', reason: null };
  }

  // ── What must always hold ───────────────────────────────────────────────────────────────────

  /** A window that is over is built whole from all that its close has promised. */
  private checkSilverStart({ window, mode, pending }: Build & { kind: 'buildSilver' }): void {
    const { allowedLatenessMs } = this.options.settings;
    const { parked } = this.state.silver[window] ?? { parked: null };
    assert.equal(parked, null, 'a parked window is not built');
    if (!isClosed(this.state, window, allowedLatenessMs)) return;
    assert.notEqual(mode, 'fold', 'a window that is over is built whole');
    const overMs = windowOf(window).endMs + allowedLatenessMs;
    for (const [log, { promises }] of this.logs) {
      // Nobody can wait for a log that has never reported.
      if (this.state.logs[log] === undefined) continue;
      const promise = promises.find(({ frontierMs }) => frontierMs >= overMs);
      for (let number = 0; number <= (promise?.sealedTo ?? -1); number += 1) {
        const range = pending[log];
        const isPending = range !== undefined && range.first <= number && number <= range.through;
        const isKnown =
          isPending || this.silver.get(window)?.batches.has(`${log}/${number}`) === true;
        const isHeld = this.isWild(log, number, window);
        const holds = this.rowsOf(log, number, window) === 0 || isKnown || isHeld;
        assert.ok(holds, `${window} was closed before ${log}/${number} was routed`);
      }
    }
  }

  /** Gold that says it is complete has no due hour behind it that is still missing rows. */
  private checkGoldStart({ window, complete }: Build & { kind: 'buildGold' }): void {
    const { goldDueBefore, silver } = this.state;
    if (!complete || goldDueBefore === null) return;
    for (const hour of overlapping(windowOf(window), 'hour')) {
      if (formatInstant(hour.endMs) > goldDueBefore) continue;
      const over = isClosed(this.state, hour.id, this.options.settings.allowedLatenessMs);
      const whole = over && (silver[hour.id]?.sealed ?? true);
      assert.ok(whole, `gold of ${window} is not complete while ${hour.id} is open`);
    }
  }

  /**
   * A reader's live tail begins after the bookmark, so all before it must be in a version, or
   * withheld from readers.
   */
  private checkBookmark(): void {
    const withheld = withheldWindows(this.state);
    for (const [log, through] of Object.entries(settledTo(this.state))) {
      for (let number = 0; number <= through; number += 1) {
        for (const window of Object.keys(this.logOf(log).batches[number]?.rows ?? {})) {
          const holds =
            this.rowsOf(log, number, window) === 0 ||
            withheld.includes(window) ||
            // Of what was held, readers see nothing before it is built.
            this.isWild(log, number, window) ||
            this.silver.get(window)?.batches.has(`${log}/${number}`) === true;
          assert.ok(holds, `the bookmark passes ${log}/${number}, which ${window} lacks`);
        }
      }
    }
  }

  /** Between now and the next look nothing becomes due by itself. */
  private checkWakeUp(): void {
    const { settings } = this.options;
    const isDue = (ms: number) =>
      decideBuilds(this.state, settings, ms).length > 0 ||
      releasedDues(this.state, settings, ms).length > 0;
    assert.ok(!isDue(this.nowMs), 'a round leaves nothing that is due');
    const lookMs = nextLookMs(this.state, settings, this.nowMs);
    const untilMs = (lookMs ?? this.nowMs + 1_000 * hourMs) - 1;
    assert.ok(untilMs <= this.nowMs || !isDue(untilMs), 'due work has a wake-up');
  }

  private rowsOf(log: string, number: number, window: WindowId): number {
    return this.logOf(log).batches[number]?.rows[window] ?? 0;
  }

  private logOf(log: string): Log {
    const known = this.logs.get(log) ?? { batches: [], frontierMs: 0, promises: [] };
    this.logs.set(log, known);
    return known;
  }

  /** Once a forgotten build has ended and was told of, the owner knows everything again. */
  private clearConfusion(): void {
    const untold = this.mailbox.flatMap((message) =>
      message.kind === 'windowBuilt' ? [keyOfReport(message.message)] : [],
    );
    for (const key of this.confused) {
      if (!this.flights.has(key) && !untold.includes(key)) this.confused.delete(key);
    }
  }
}

/** What the workflow does with a build whose workflow id is taken. */
function notStarted(state: OwnerState, build: Build): OwnerState {
  if (build.kind === 'buildGold') {
    const due = { ...state.gold[build.key]!, building: null, stale: true, due: true };
    return { ...state, gold: { ...state.gold, [build.key]: due } };
  }
  const window = { ...state.silver[build.window]!, building: null };
  return { ...state, silver: { ...state.silver, [build.window]: window } };
}

function keyOfBuild(build: Build): string {
  return build.kind === 'buildSilver' ? `silver/${build.window}` : `gold/${build.key}`;
}

function keyOfReport(built: WindowBuilt): string {
  return built.layer === 'silver'
    ? `silver/${built.window}`
    : `gold/${built.table}/${built.window}`;
}

/** The id of the hour that lies so many hours from the start of the world. */
export function hourId(hours: number): WindowId {
  return windowAt(startMs + hours * hourMs, 'hour').id;
}
