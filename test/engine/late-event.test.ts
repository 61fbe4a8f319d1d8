import assert from 'node:assert/strict';
import { createLakehouseActivities } from '../../src/activities/lakehouse.ts';
import { events } from '../../src/datasets/events.ts';
import { windowBuilt } from '../../src/lake/owner-built.ts';
import { type Build, decideBuilds } from '../../src/lake/owner-decisions.ts';
import type { OwnerState } from '../../src/lake/owner-state.ts';
import { buildStarted, logAdvanced, prune, routed } from '../../src/lake/owner.ts';
import type { WindowBuilt } from '../../src/lake/messages.ts';
import { nowMs, owner, settings as ownerSettings } from '../lake/support/owner-states.ts';
import { type LakeBed, createLakeBed, log, publish, sealBatch } from './support/lake-bed.ts';

/*
 * The owner's decisions, carried out by the real activities on a lake in memory, as the workflow does.
 * Hours of last month are long sealed, and gold is on the Schedule.
 */

const tables = events.gold.filter(({ name }) =>
  ['hourly_revenue', 'device_summary'].includes(name),
);
const settings = {
  ...ownerSettings,
  goldRefresh: 'schedule',
  gold: tables.map(({ name, grain }) => ({ name, grain })),
} as const;
const hours = ['2026-07-10T08', '2026-07-10T09', '2026-07-11T08'] as const;
const [late] = hours;

async function carriedOut(bed: LakeBed, build: Build): Promise<WindowBuilt> {
  const { window, cause } = build;
  const common = { dataset: 'events', window, owner: 'none', cause };
  const staged =
    build.kind === 'buildSilver'
      ? await bed.activities.stageSilver({ ...common, mode: build.mode, pending: build.pending })
      : await bed.activities.stageGold({ ...common, table: build.table, complete: build.complete });
  if (staged.kind === 'staged') await publish(bed, staged);
  const { version, rows, through } = staged;
  const outcome = staged.kind === 'staged' ? 'published' : 'unchanged';
  const told = {
    window,
    cause,
    outcome,
    version,
    rows,
    durationMs: 1,
    reason: null,
    checks: [],
  } as const;
  return build.kind === 'buildSilver'
    ? { layer: 'silver', mode: build.mode, through, ...told }
    : { layer: 'gold', table: build.table, ...told };
}

/** Seals a batch and has the owner do all that follows; answers what was built, round by round. */
async function follow(bed: LakeBed, before: OwnerState, number: number) {
  const activities = createLakehouseActivities({
    ...{ ports: bed.ports, batchWindowsMax: 100 },
    // Nothing is described here.
    description: {} as never,
  });
  const frontier = '2026-08-21T13:30:00.000Z';
  const told = logAdvanced(before, { logs: [{ log, sealedTo: number, frontier }] }, nowMs);
  const found = await activities.routeBatches({
    ...{ dataset: 'events', ranges: [{ log, first: number, through: number }] },
    ...{ settledTo: {}, withheld: [] },
  });
  let state = routed(told, found, nowMs);
  const rounds: string[][] = [];
  for (let atMs = nowMs + 2_000; ; atMs += 1_000) {
    const builds = decideBuilds(state, { ...settings, buildsMax: 20 }, atMs);
    if (builds.length === 0) return { state, rounds };
    rounds.push(builds.map((build) => `${build.kind} ${build.window} ${build.cause.kind}`));
    for (const build of builds) state = buildStarted(state, build, atMs);
    for (const build of builds) {
      state = windowBuilt(state, await carriedOut(bed, build), settings.gold, atMs);
    }
    state = prune(state);
  }
}

/** Every pointer of the lake, with what it says. */
async function pointersOf({ ports: { objects } }: LakeBed): Promise<Map<string, string>> {
  const listed = await objects.listObjects('_current/');
  const read = listed.map(async ({ key }) => {
    const found = await objects.readObject(key);
    return [key.slice('_current/'.length), Buffer.from(found!.bytes).toString()] as const;
  });
  return new Map(await Promise.all(read));
}

describe('an event that comes late for a sealed hour of last month', function () {
  this.timeout(180_000);
  it('is in silver with the next round and in its gold with the one after, and changes no other pointer', async () => {
    const bed = await createLakeBed();
    await sealBatch(
      bed,
      0,
      [...hours, '2026-08-21T12'].map((hour, at) => ({ id: `e${at}`, hour })),
    );
    const begun = owner({
      logs: {},
      nextToClose: '2026-08-21T13',
      goldDueBefore: '2026-08-21T13:00:00.000Z',
    });
    const { state } = await follow(bed, begun, 0);
    const before = await pointersOf(bed);
    assert.deepEqual(state.silver, {}, 'all is sealed and forgotten');

    await sealBatch(bed, 1, [{ id: 'late', hour: late }]);
    const { rounds } = await follow(bed, state, 1);
    const after = await pointersOf(bed);
    await bed.remove();

    assert.deepEqual(rounds, [
      [`buildSilver ${late} late`],
      ['buildGold 2026-07-10 silver', `buildGold ${late} silver`],
    ]);
    const changed = [...after]
      .filter(([key, text]) => before.get(key) !== text)
      .map(([key]) => key);
    assert.deepEqual(changed.sort(), [
      'gold/device_summary/2026-07-10.json',
      `gold/hourly_revenue/${late}.json`,
      `silver/events_cleaned/${late}.json`,
    ]);
    assert.equal(after.size, before.size);
    const [silver, day] = [
      `silver/events_cleaned/${late}.json`,
      'gold/device_summary/2026-07-10.json',
    ];
    const parsed = (key: string) => JSON.parse(after.get(key)!) as { rows: number; silver: object };
    assert.equal(parsed(silver).rows, 2);
    assert.deepEqual(Object.keys(parsed(day).silver).sort(), [late, '2026-07-10T09']);
  });
});
