import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  type DropVerdict,
  type PollCursor,
  afterPoll,
  detailAt,
  dropFormat,
  firstPoll,
  judgeObject,
  lineNext,
  offsetOfLine,
} from '../../src/lake/drop.ts';
import { dropTakenKey, dropTakenPrefix, parseDropTakenKey } from '../../src/lake/drop-paths.ts';

const part = {
  key: 'landing/a.csv',
  etag: '"1"',
  bytes: 10,
  foundAt: '2026-08-21T13:00:00.000Z',
  lineFirst: 0,
  lineEnd: 5,
  ends: false,
};

describe('dropFormat', () => {
  it('knows the kind of an object by the end of its name, in either case', () => {
    const kinds = ['a.json.gz', 'a.JSONL', 'x/.jsonl.gz', 'a.csv', 'a.csv.gz'].map(dropFormat);
    assert.deepEqual(
      kinds.map((kind) => `${kind?.lines} ${kind?.gzip}`),
      ['json true', 'json false', 'json true', 'csv false', 'csv true'],
    );
  });

  it('knows no other', () => {
    for (const key of ['a.json', 'a.gz', 'a.csv.zip', 'a.parquet', 'csv', 'a.csv.tmp', '']) {
      assert.equal(dropFormat(key), null, key);
    }
  });
});

describe('judgeObject', () => {
  const judge = (facts: { key?: string; taken?: string[]; verdict?: DropVerdict | null }) =>
    judgeObject({
      key: facts.key ?? 'a.csv',
      version: 'v2',
      taken: new Set(facts.taken ?? []),
      verdict: facts.verdict ?? null,
    });

  it('takes what was never taken, and nothing twice', () => {
    assert.equal(judge({}), 'take');
    assert.equal(judge({ taken: ['v2'] }), 'taken');
    assert.equal(judge({ taken: ['v1', 'v2'], verdict: 'take' }), 'taken');
  });

  it('leaves another version to a person', () => {
    assert.equal(judge({ taken: ['v1'] }), 'undecided');
    assert.equal(judge({ taken: ['v1'], verdict: 'take' }), 'take');
    assert.equal(judge({ taken: ['v1'], verdict: 'ignore' }), 'ignored');
  });

  it('leaves alone what it cannot read', () => {
    assert.equal(judge({ key: 'a.txt' }), 'unknownKind');
    assert.equal(judge({ key: 'a.csv/' }), 'folder');
  });
});

describe('afterPoll', () => {
  /** What a store lists after a key. */
  const page = (keys: readonly string[], after: string | null, size: number) =>
    keys.filter((key) => after === null || key > after).slice(0, size);

  it('property: a round sees every key, and what sorts behind all others is seen at once', () => {
    const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 3 }), { maxLength: 30 });
    fc.assert(
      fc.property(names, fc.integer({ min: 1, max: 7 }), fc.string(), (list, size, late) => {
        const keys = [...list].sort();
        let cursor: PollCursor = firstPoll;
        const poll = (all: readonly string[]): readonly string[] => {
          const behind = page(all, cursor.seenTo, size);
          const round = page(all, cursor.roundAt, size);
          cursor = afterPoll(cursor, { behind, round }, size);
          return [...behind, ...round];
        };
        const seen = new Set<string>();
        const rounds = Math.ceil(keys.length / size) + 1;
        for (let count = 0; count < rounds; count += 1) poll(keys).forEach((key) => seen.add(key));
        assert.equal(seen.size, keys.length);

        assert.ok(poll([...keys, '\uffff']).includes('\uffff'));
        const more = [...new Set([...keys, '\uffff', late])].sort();
        const again = new Set<string>();
        for (let count = 0; count < 2 * rounds + 2; count += 1)
          poll(more).forEach((key) => again.add(key));
        assert.equal(again.size, more.length, 'also one that sorts among the others');
      }),
    );
  });
});

describe('lines and offsets', () => {
  it('go on in the object that is under way, and begin anew in any other', () => {
    assert.equal(lineNext(part, part), 5);
    assert.equal(lineNext({ ...part, ends: true }, part), 0);
    assert.equal(lineNext(part, { ...part, etag: '"2"' }), 0);
    assert.equal(lineNext(undefined, part), 0);
  });

  it('property: an offset leads back to its line', () => {
    const numbers = fc.tuple(fc.nat(), fc.nat(1_000_000), fc.nat(1_000));
    fc.assert(
      fc.property(numbers, ([offsetFirst, lineFirst, more]) => {
        const range = { offsetFirst: String(offsetFirst), lineFirst };
        const offset = String(offsetOfLine(range, lineFirst + more));
        const plan = { ...range, object: { ...part, lineFirst } };
        const text = detailAt(plan, offset, 'bad');
        assert.equal(text, `landing/a.csv line ${lineFirst + more + 1}: bad`);
      }),
    );
  });

  it('are no part of what is wrong with a record of Kafka', () => {
    assert.equal(detailAt({ offsetFirst: '3' }, '4', 'bad'), 'bad');
  });
});

describe('the keys of taken versions', () => {
  it('lead back to the version', () => {
    const version = { keyId: '0123456789abcdef0123456789abcdef', versionId: 'd41d8cd9-17' };
    const key = dropTakenKey('events', version);
    assert.ok(key.startsWith(dropTakenPrefix('events')));
    assert.deepEqual(parseDropTakenKey(key), version);
    assert.equal(parseDropTakenKey('_drop/events/taken/other.json'), null);
  });
});
