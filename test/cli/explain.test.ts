import assert from 'node:assert/strict';
import { jsonBytes } from '../../src/activities/json-objects.ts';
import { createMemoryObjectStore } from '../../src/adapters/memory-object-store.ts';
import { readWindowFacts } from '../../src/cli/explain-read.ts';
import {
  explanationAsJson,
  explanationAsText,
  windowNamed,
  windowsNamed,
} from '../../src/cli/explain.ts';
import { explain } from '../../src/lake/explain.ts';
import { pointerKey } from '../../src/lake/paths.ts';
import { type Pointer } from '../../src/lake/pointer.ts';
import { closedHour, day, nowMs, owner, settings, silver } from '../lake/support/owner-states.ts';
import { goldPointer, silverPointer } from '../lake/support/pointers.ts';

const answering = () => Promise.resolve(owner({ silver: { [closedHour]: silver } }));
const failing = () => Promise.reject(new Error('the owner does not run\nmore of it'));

async function factsOf(
  [table, window]: readonly [string, string],
  { status = answering, pointers = [silverPointer(), goldPointer()] as readonly Pointer[] } = {},
) {
  const objects = createMemoryObjectStore();
  for (const pointer of pointers) {
    const place = { layer: pointer.layer, name: pointer.table };
    await objects.replaceObject(pointerKey(place, pointer.window), jsonBytes(pointer));
  }
  const sources = { objects, status, settings, now: () => nowMs };
  return readWindowFacts(sources, windowNamed(table, window));
}

describe('windowNamed', () => {
  it('takes silver by the name of its table, and by that of its dataset', () => {
    const wanted = { layer: 'silver', table: null, window: closedHour };
    assert.deepEqual(windowNamed('events_cleaned', closedHour), wanted);
    assert.deepEqual(windowNamed('events', closedHour), wanted);
  });

  it('names the tables that there are, and how a window of one is written', () => {
    assert.throws(() => windowNamed('sales', day), { code: 'INPUT_INVALID' });
    assert.throws(() => windowNamed('sales', day), /there are: events_cleaned, .*top_products/);
    assert.throws(
      () => windowNamed('events', day),
      /no window of events_cleaned; .* 2026-08-21T13/,
    );
    assert.throws(() => windowNamed('top_products', closedHour), /written as 2026-08-21$/);
  });
});

describe('windowsNamed', () => {
  it('takes a day of a table by the hour for its hours', () => {
    for (const [table, layer] of [
      ['hourly_revenue', 'gold'],
      ['events', 'silver'],
    ] as const) {
      const refs = windowsNamed(table, day);
      assert.deepEqual([refs.length, refs[0]?.layer], [24, layer]);
      assert.deepEqual([refs[0]?.window, refs.at(-1)?.window], [`${day}T00`, `${day}T23`]);
    }
  });

  it('leaves every other window as it is named, and refuses nonsense', () => {
    assert.deepEqual(windowsNamed('top_products', day), [windowNamed('top_products', day)]);
    assert.deepEqual(windowsNamed('events', closedHour), [windowNamed('events', closedHour)]);
    assert.throws(() => windowsNamed('sales', day), { code: 'INPUT_INVALID' });
    assert.throws(() => windowsNamed('hourly_revenue', 'noon'), { code: 'INPUT_INVALID' });
  });
});

describe('readWindowFacts', () => {
  it('has the pointer of an hour of silver, and what the owner answers', async () => {
    const facts = await factsOf(['events', closedHour]);
    assert.deepEqual(facts.pointer, silverPointer());
    assert.equal(facts.owner.kind, 'answered');
    assert.deepEqual(facts.silverNow, {});
  });

  it('has for gold the versions that silver has now', async () => {
    const facts = await factsOf(['top_products', day]);
    assert.deepEqual(facts.pointer, goldPointer());
    assert.deepEqual(facts.silverNow, { [closedHour]: '000003-abc' });
  });

  it('has what the lake knows when the owner does not answer', async () => {
    const facts = await factsOf(['events', closedHour], { status: failing });
    assert.deepEqual(facts.owner, { kind: 'silent', reason: 'the owner does not run' });
    assert.deepEqual(facts.pointer, silverPointer());
  });

  it('has no pointer of a window that was never published', async () => {
    const facts = await factsOf(['events', closedHour], { pointers: [] });
    assert.equal(facts.pointer, null);
  });
});

describe('explanationAsText', () => {
  it('begins with the answer in short, and leaves out what there is nothing to say of', async () => {
    const facts = await factsOf(['events', closedHour], { status: failing, pointers: [] });
    const lines = explanationAsText(explain(facts));
    assert.equal(lines[0], 'events_cleaned 2026-08-21T12 was never published.');
    assert.deepEqual(lines.filter((line) => /^\S/.test(line)).slice(1), ['Now', 'Its version']);
  });
});

describe('explanationAsJson', () => {
  it('has the sentences, what the owner knows, and the pointer', async () => {
    const facts = await factsOf(['events', closedHour]);
    const json = explanationAsJson(facts, explain(facts));
    assert.deepEqual(JSON.parse(JSON.stringify(json)), {
      layer: 'silver',
      table: 'events_cleaned',
      window: closedHour,
      ...explain(facts),
      silence: null,
      known: silver,
      pointer: silverPointer(),
      silverNow: {},
    });
  });
});
