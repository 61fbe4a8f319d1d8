import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  canonicalJson,
  decidePublish,
  fromRanges,
  nextVersion,
  toRanges,
} from '../../src/lake/pointer.ts';

const numberSets = fc.uniqueArray(fc.nat(60), { maxLength: 40 });
const ascending = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b);

describe('toRanges and fromRanges', () => {
  it('property: fromRanges ∘ toRanges = id on sorted numbers', () => {
    fc.assert(
      fc.property(numberSets, (numbers) => {
        assert.deepEqual(fromRanges(toRanges(numbers)), ascending(numbers));
      }),
    );
  });

  it('property: ranges ascend and do not touch, so toRanges ∘ fromRanges = id', () => {
    fc.assert(
      fc.property(numberSets, (numbers) => {
        const ranges = toRanges(numbers);
        for (const [index, [first, last]] of ranges.entries()) {
          assert.ok(first <= last);
          assert.ok(index === 0 || first > (ranges[index - 1]?.[1] ?? 0) + 1);
        }
        assert.deepEqual(toRanges(fromRanges(ranges)), ranges);
      }),
    );
  });

  it('takes a number that is there twice once, in whatever order', () => {
    assert.deepEqual(toRanges([3, 1, 2, 2, 9]), [
      [1, 3],
      [9, 9],
    ]);
  });
});

describe('canonicalJson', () => {
  const shuffled = fc.tuple(
    fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true }),
    fc.nat(),
  );

  it('property: the order of keys changes nothing, the value is kept', () => {
    fc.assert(
      fc.property(shuffled, ([value, salt]) => {
        const entries = Object.entries(value);
        const turned = [...entries.slice(salt % 7), ...entries.slice(0, salt % 7)].reverse();
        const text = canonicalJson(value);
        assert.equal(canonicalJson(Object.fromEntries(turned)), text);
        assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('sorts keys at every depth and leaves lists in their order', () => {
    assert.equal(canonicalJson({ b: [{ d: 1, c: 2 }], a: null }), '{"a":null,"b":[{"c":2,"d":1}]}');
  });

  it('keeps a key __proto__ a key', () => {
    const value: unknown = JSON.parse('{"b":1,"__proto__":{"a":2}}');
    assert.equal(canonicalJson(value), '{"__proto__":{"a":2},"b":1}');
  });
});

describe('nextVersion', () => {
  it('counts on from the current version and carries the fingerprint', () => {
    const fingerprint = 'abcdef0123456789';
    assert.deepEqual(nextVersion(null, fingerprint), {
      sequence: 1,
      version: '000001-abcdef012345',
    });
    assert.equal(nextVersion({ sequence: 41 }, fingerprint).version, '000042-abcdef012345');
  });

  it('property: versions of a window sort in the order of their sequence', () => {
    fc.assert(
      fc.property(fc.nat(999_997), fc.stringMatching(/^[0-9a-f]{16}$/), (sequence, fingerprint) => {
        const one = nextVersion({ sequence }, fingerprint);
        assert.ok(nextVersion(one, '0').version > one.version);
      }),
    );
  });
});

describe('decidePublish', () => {
  const staged = { version: '000002-b', previous: '000001-a' };

  it('publishes over the version that the build began from', () => {
    assert.deepEqual(decidePublish(staged, { version: '000001-a' }), { kind: 'publish' });
    assert.deepEqual(decidePublish({ ...staged, previous: null }, null), { kind: 'publish' });
  });

  it('recognises its own version as published', () => {
    assert.deepEqual(decidePublish(staged, { version: '000002-b' }), { kind: 'alreadyPublished' });
  });

  it('gives way to another version, and to a pointer that is there or gone unexpectedly', () => {
    const superseded = (current: { version: string } | null, previous: string | null) =>
      decidePublish({ ...staged, previous }, current);
    assert.deepEqual(superseded({ version: '000002-c' }, '000001-a'), {
      kind: 'superseded',
      by: '000002-c',
    });
    assert.deepEqual(superseded({ version: '000001-a' }, null), {
      kind: 'superseded',
      by: '000001-a',
    });
    assert.deepEqual(superseded(null, '000001-a'), { kind: 'superseded', by: 'nothing' });
  });
});
