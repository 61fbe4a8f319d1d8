import assert from 'node:assert/strict';
import type { Condition, WindowFacts } from '../../src/lake/explain-facts.ts';
import { explain } from '../../src/lake/explain.ts';
import { type OwnerState, type SilverState, newOwner } from '../../src/lake/owner-state.ts';
import { emptyQueue } from '../../src/lake/owner-parts.ts';
import { formatInstant } from '../../src/lake/time.ts';
import {
  closedHour,
  day,
  gold,
  hour,
  log,
  nowMs,
  owner,
  pending,
  settings,
  silver,
} from './support/owner-states.ts';
import { goldPointer, silverPointer } from './support/pointers.ts';

const ago = formatInstant(nowMs - 5_000);
const parked = { reason: 'totals (1 row)', sinceMs: nowMs - 5_000, checks: ['totals'] };
const backfill = { kind: 'backfill', id: 'b17', author: 'ops', reason: 'new SQL' } as const;

function ofSilver(state: OwnerState, differences: Partial<WindowFacts> = {}): WindowFacts {
  return {
    layer: 'silver',
    table: 'events_cleaned',
    window: hour,
    nowMs,
    settings,
    owner: { kind: 'answered', state },
    pointer: silverPointer({ window: hour }),
    silverNow: {},
    ...differences,
  };
}

function ofGold(state: OwnerState, differences: Partial<WindowFacts> = {}): WindowFacts {
  return ofSilver(state, {
    layer: 'gold',
    table: 'top_products',
    window: day,
    pointer: goldPointer(),
    silverNow: { [closedHour]: '000003-abc' },
    ...differences,
  });
}

function hourIs(differences: Partial<SilverState>, id = hour): WindowFacts {
  const state = owner({ silver: { [id]: { ...silver, ...differences } } });
  return ofSilver(state, { window: id });
}

function goldIs(differences: Partial<typeof gold>): WindowFacts {
  return ofGold(owner({ gold: { [`top_products/${day}`]: { ...gold, ...differences } } }));
}

type Case = readonly [string, WindowFacts, Condition, readonly RegExp[]];

function claims(cases: readonly Case[]): void {
  for (const [claim, facts, condition, wanted] of cases) {
    it(claim, () => {
      const explained = explain(facts);
      const now = explained.now.join('\n');
      assert.equal(explained.condition, condition, now);
      for (const each of wanted) assert.match(now, each);
    });
  }
}

describe('explain, of silver', () => {
  claims([
    [
      'says what builds it, since when, and who has asked',
      hourIs({ building: { mode: 'rebuild', sinceMs: nowMs - 5_000 }, asked: backfill }),
      'building',
      [new RegExp(`Since ${ago} there runs a rebuild`), /ops .* by backfill b17: "new SQL"\./],
    ],
    [
      'says why it is parked, which checks have failed, and how to decide',
      hourIs({ ...pending, parked }, closedHour),
      'parked',
      [
        new RegExp(`Parked since ${ago}: totals \\(1 row\\)`),
        /have failed: totals\./,
        /`ingot gate retry`, .* events_cleaned 2026-08-21T12 decides/,
        /10 rows not in it yet since .*, in batches of: a-0 8–9\./,
      ],
    ],
    [
      'says of a window that met a fault that no check has failed',
      hourIs({ ...pending, parked: { ...parked, checks: [] } }),
      'parked',
      [/met a fault; no check has failed/],
    ],
    [
      'says that its rows were given up, and where to find by whom',
      hourIs({ ...pending, abandoned: true }, closedHour),
      'abandoned',
      [/abandoned it at its gate/, /ingot bookmark history/, /10 rows not in it/],
    ],
    [
      'says who has asked for a rebuild that has not begun',
      hourIs({ asked: { kind: 'rewind', author: 'ops', reason: '' } }),
      'asked',
      [/^ops has rewound the bookmark\.$/m],
    ],
    [
      'says that rows came late, and that they make it be rebuilt',
      hourIs({ ...pending, late: true }, closedHour),
      'late',
      [/had been over when they came/, /Its next build is a rebuild/],
    ],
    [
      'says why a fold is held back, and until when',
      hourIs({ ...pending, heldBack: 'nulls (2 rows)' }),
      'heldBack',
      [
        /did not pass the gate \(nulls \(2 rows\)\)/,
        /over when .*T14:02:00\.000Z: a-0 is complete/,
      ],
    ],
    [
      'says that rows wait, and when the next fold is',
      hourIs({ ...pending, builtAtMs: nowMs - 10_000 }),
      'waiting',
      [/next build is a fold/, /starts at 2026-08-21T13:30:49\.000Z/, /at most every 60 seconds/],
    ],
    [
      'says that a build starts now when nothing is in its way',
      hourIs(pending),
      'waiting',
      [/It starts now\./],
    ],
    [
      'says of an hour that is over and not sealed that its seal build comes',
      hourIs({}, closedHour),
      'waiting',
      [/over and not sealed yet/, /next build is a seal build/],
    ],
    [
      'says of an open hour which log it waits for, and for how long',
      hourIs({}),
      'open',
      [/No row waits/, /a-0 is complete up to 2026-08-21T13:30:00\.000Z\.$/m],
    ],
    ['says that a sealed hour is done', hourIs({ sealed: true }, closedHour), 'current', [/whole/]],
    [
      'says of an hour that the owner has forgotten that there is nothing to do',
      ofSilver(owner(), { window: closedHour }),
      'current',
      [/nothing left to do/],
    ],
    [
      'says of an hour without a version that it never had rows',
      ofSilver(owner(), { window: closedHour, pointer: null }),
      'neverBuilt',
      [/No row of it has ever been routed/],
    ],
    [
      'says of an hour to come that it is open',
      ofSilver(owner(), { window: '2026-08-22T01', pointer: null }),
      'open',
      [/complete up to 2026-08-22T02:02:00\.000Z/],
    ],
    [
      'says that nobody has reported when no log has',
      ofSilver(newOwner('events'), { pointer: null }),
      'open',
      [/no source log has reported yet/],
    ],
  ]);

  it('says that it may be queued in the lake', () => {
    const hours = { from: closedHour, to: closedHour };
    const state = owner({ queue: { ...emptyQueue, next: 1, windows: 3, hours } });
    const { condition, now } = explain(ofSilver(state, { window: closedHour }));
    assert.equal(condition, 'queued');
    assert.match(now.join('\n'), /3 windows are queued/);
  });

  it('says who has paused all builds, and why, of a window that would be built', () => {
    const pauseSaid = { author: 'ops', reason: 'Glue is down', at: ago };
    const silverNow = { [hour]: { ...silver, ...pending } };
    const { now } = explain(ofSilver(owner({ silver: silverNow, paused: true, pauseSaid })));
    assert.match(now.join('\n'), new RegExp(`ops has paused them at ${ago}: "Glue is down"`));
    assert.doesNotMatch(now.join('\n'), /It starts/);
  });

  it('says that it waits for its turn when as many builds run as may', () => {
    const building = { mode: 'fold', sinceMs: nowMs } as const;
    const running = { ...silver, building };
    const state = owner({ silver: { [closedHour]: running, [hour]: { ...silver, ...pending } } });
    const facts = ofSilver(state, { settings: { ...settings, buildsMax: 1 } });
    assert.match(explain(facts).now.join('\n'), /its turn: 1 build of at most 1 run/);
  });

  it('names batches that nobody has looked at, and logs that are routed once more', () => {
    const asked = { kind: 'rewind', author: 'ops', reason: 'new SQL' } as const;
    const state = owner({
      logs: { 'a-0': { ...log, sealedTo: 12 } },
      rewinds: { 'a-0': { through: 11, asked } },
    });
    const now = explain(ofSilver(state)).now.join('\n');
    assert.match(now, /not routed yet may hold rows of it: a-0 10–12\./);
    assert.match(now, /a-0 is routed once more up to batch 11, .*: ops has rewound .*"new SQL"\./);
  });
});

describe('explain, of gold', () => {
  const due = { stale: true, due: true };
  const onSchedule = { settings: { ...settings, goldRefresh: 'schedule' } } as const;
  claims([
    [
      'says that a build runs, and that one more follows',
      goldIs({ building: { sinceMs: nowMs - 5_000 }, stale: true }),
      'building',
      [new RegExp(`Since ${ago} a build runs`), /one more build follows/],
    ],
    [
      'says why it is parked',
      goldIs({ parked }),
      'parked',
      [/totals \(1 row\)/, /top_products 2026-08-21 decides/],
    ],
    [
      'says since when it is older than its silver, and that a build is to come',
      goldIs({ stale: true }),
      'stale',
      [/at 2026-08-21T13:30:00\.000Z\./, /Its next build is a build of the whole window/],
    ],
    [
      'says that the Schedule must call it due first',
      { ...goldIs({ stale: true }), ...onSchedule },
      'stale',
      [/GOLD_REFRESH=schedule/],
    ],
    ['says who has asked', goldIs({ ...due, asked: backfill }), 'asked', [/backfill b17/]],
    ['says that nothing waits', goldIs({}), 'current', [/Nothing waits/]],
    ['says of a forgotten window that it is done', ofGold(owner()), 'current', [/nothing left/]],
    [
      'says of one without a version that its silver has none',
      ofGold(owner(), { pointer: null, silverNow: {} }),
      'neverBuilt',
      [/No version of its silver/],
    ],
  ]);

  it('does not speak of the Schedule once that has called', () => {
    const now = explain({ ...goldIs(due), ...onSchedule }).now.join('\n');
    assert.doesNotMatch(now, /GOLD_REFRESH/);
    assert.match(now, /Its next build/);
  });

  it('names its hours that are not whole, and how long one that is due is waited for', () => {
    const state = owner({
      gold: { [`top_products/${day}`]: { ...gold, stale: true } },
      silver: {
        '2026-08-21T10': { ...silver, parked },
        [closedHour]: { ...silver, ...pending },
        [hour]: silver,
      },
      dues: [{ hour: closedHour, sinceMs: nowMs }],
    });
    const now = explain(ofGold(state)).now.join('\n');
    assert.match(now, /Silver 2026-08-21T10 is parked \(totals \(1 row\)\)\./);
    assert.match(now, /T12 has 10 rows that wait, due since .* until 2026-08-21T14:00:00\.000Z at/);
    assert.match(now, /Silver 2026-08-21T13 is open\./);
  });
});

describe('explain, when the owner is silent', () => {
  const silent = { owner: { kind: 'silent', reason: 'it does not run' } } as const;

  it('says so, and goes on with what the lake says', () => {
    const { condition, headline, now, version, madeFrom } = explain(ofSilver(owner(), silent));
    assert.equal(condition, 'published');
    assert.equal(headline, 'events_cleaned 2026-08-21T13 has been published.');
    assert.match(now.join('\n'), /could not be asked \(it does not run\)/);
    assert.equal(version.length > 0 && madeFrom.length > 0, true);
  });

  it('sees from versions alone that gold is older than its silver', () => {
    const newer = { ...silent, silverNow: { [closedHour]: '000004-def' } };
    assert.equal(explain(ofGold(owner(), newer)).condition, 'stale');
    assert.equal(explain(ofGold(owner(), silent)).condition, 'published');
    assert.equal(explain(ofGold(owner(), { ...newer, pointer: null })).condition, 'neverBuilt');
  });
});
