import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  type Corrected,
  type DeadLetter,
  correct,
  deadLetterId,
  decideRedrive,
  hoursOfFilter,
  matchesFilter,
  parseDeadLetterId,
  parseSetField,
  redriveHeaders,
  redriveStates,
} from '../../src/lake/dead-letters.ts';
import { batchName, logName, redriveClaimKey, redriveSentKey } from '../../src/lake/paths.ts';

const letter: DeadLetter = {
  id: 'clicks-0-000000000007/12',
  topic: 'clicks',
  partition: 0,
  offset: '12',
  reason: 'ID_MISSING',
  field: 'event_id',
  detail: 'wanted a non-empty string, got nothing',
  kafkaTime: '2026-08-21T13:00:00.000Z',
  ingestTime: '2026-08-21T13:59:59.999Z',
  key: null,
  headers: { trace: [new Uint8Array([1]), new Uint8Array([2])] },
  value: bytes('{"a":1,"b":"x"}'),
};
const all = { reason: null, topic: null, fromMs: null, toMs: null };

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function textOf(corrected: Corrected): string {
  assert.equal(corrected.kind, 'value');
  return new TextDecoder().decode(corrected.value ?? undefined);
}

describe('parseDeadLetterId', () => {
  it('property: parse ∘ format = id, also for topics with dashes and digits', () => {
    const topics = fc.stringMatching(/^[A-Za-z0-9._-]{1,40}$/);
    fc.assert(
      fc.property(topics, fc.nat(99), fc.nat(999_999), fc.bigInt(0n, 2n ** 63n - 1n), (...all) => {
        const [topic, partition, number, offset] = all;
        const batch = batchName({ log: logName(topic, partition), number });
        const id = deadLetterId(batch, offset.toString());
        assert.deepEqual(parseDeadLetterId(id), { batch, offset: offset.toString() });
      }),
    );
  });

  for (const text of ['', 'clicks-0-7/1', 'clicks-0-000000000007', 'clicks-0-000000000007/x']) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.equal(parseDeadLetterId(text), null));
  }

  it('refuses what leads out of its folder', () => {
    assert.equal(parseDeadLetterId('clicks-0-000000000007/1/../2'), null);
  });
});

describe('matchesFilter', () => {
  const ingestMs = Date.parse(letter.ingestTime);

  it('takes everything without a filter', () => assert.ok(matchesFilter(letter, all)));

  it('asks for reason and topic', () => {
    assert.ok(matchesFilter(letter, { ...all, reason: 'ID_MISSING', topic: 'clicks' }));
    assert.ok(!matchesFilter(letter, { ...all, reason: 'EMPTY' }));
    assert.ok(!matchesFilter(letter, { ...all, topic: 'click' }));
  });

  it('includes the first moment and excludes the last', () => {
    assert.ok(matchesFilter(letter, { ...all, fromMs: ingestMs, toMs: ingestMs + 1 }));
    assert.ok(!matchesFilter(letter, { ...all, fromMs: ingestMs + 1 }));
    assert.ok(!matchesFilter(letter, { ...all, toMs: ingestMs }));
  });
});

describe('hoursOfFilter', () => {
  const at = (text: string): number => Date.parse(text);

  it('covers the hours of its moments, and none that only begins where it ends', () => {
    const filter = {
      ...all,
      fromMs: at('2026-08-21T13:59:59Z'),
      toMs: at('2026-08-21T15:00:00Z'),
    };
    assert.deepEqual(hoursOfFilter(filter), {
      firstMs: at('2026-08-21T13:00:00Z'),
      endMs: at('2026-08-21T15:00:00Z'),
    });
  });

  it('has no end where the filter has none', () => {
    assert.deepEqual(hoursOfFilter(all), { firstMs: null, endMs: null });
  });
});

describe('redriveStates', () => {
  const place = { dataset: 'events', batch: 'clicks-0-000000000007', offset: '12' };
  const claim = (attempt: number): string => redriveClaimKey(place, attempt);
  const sent = (attempt: number): string => redriveSentKey(place, attempt);
  const cases: readonly (readonly [string, readonly string[], unknown])[] = [
    ['nothing', [], undefined],
    ['a claim', [claim(1)], { kind: 'claimed', attempt: 1 }],
    ['a claim and its confirmation', [claim(1), sent(1)], { kind: 'redriven', attempt: 1 }],
    ['a second claim', [claim(1), sent(1), claim(2)], { kind: 'claimed', attempt: 2 }],
    ['a confirmed second', [claim(1), claim(2), sent(2)], { kind: 'redriven', attempt: 2 }],
    ['other objects', ['_redrive/events/x', 'bronze/a.parquet'], undefined],
  ];
  for (const [name, keys, wanted] of cases) {
    it(`knows ${name}, in whatever order`, () => {
      for (const order of [keys, [...keys].reverse()]) {
        assert.deepEqual(redriveStates(order).get(letter.id), wanted);
      }
    });
  }
});

describe('decideRedrive', () => {
  it('sends what is open', () => {
    assert.deepEqual(decideRedrive({ kind: 'open', attempt: 0 }, false), {
      kind: 'send',
      attempt: 1,
    });
  });

  for (const kind of ['claimed', 'redriven'] as const) {
    it(`refuses what is ${kind}, unless forced, which is the next attempt`, () => {
      assert.deepEqual(decideRedrive({ kind, attempt: 2 }, false), { kind: 'refuse' });
      assert.deepEqual(decideRedrive({ kind, attempt: 2 }, true), { kind: 'send', attempt: 3 });
    });
  }
});

describe('redriveHeaders', () => {
  it('keeps the headers and names the dead letter, once', () => {
    const again = { ...letter, headers: { ...letter.headers, 'ingot-redrive': [bytes('older')] } };
    assert.deepEqual(redriveHeaders(again), {
      ...letter.headers,
      'ingot-redrive': [bytes(letter.id)],
    });
  });
});

describe('correct', () => {
  it('leaves the bytes as they came', () => {
    assert.equal(correct(letter, { kind: 'none' }).kind, 'value');
    assert.equal(textOf(correct(letter, { kind: 'none' })), '{"a":1,"b":"x"}');
    assert.deepEqual(correct({ ...letter, value: null }, { kind: 'none' }), {
      kind: 'value',
      value: null,
    });
  });

  it('sets fields, new ones behind those that there are', () => {
    const fields = [
      ['b', 'y'],
      ['event_id', 'e-1'],
      ['__proto__', { c: 1 }],
    ] as const;
    assert.equal(
      textOf(correct(letter, { kind: 'fields', fields })),
      '{"a":1,"b":"y","event_id":"e-1","__proto__":{"c":1}}',
    );
  });

  for (const value of [null, bytes('[1]'), bytes('null'), bytes('{"a":'), new Uint8Array([0xc3])]) {
    it(`cannot set fields of ${value === null ? 'nothing' : Buffer.from(value).toString('hex')}`, () => {
      const correction = { kind: 'fields', fields: [['a', 1]] } as const;
      assert.equal(correct({ ...letter, value }, correction).kind, 'impossible');
    });
  }
});

describe('parseSetField', () => {
  it('takes a name and JSON, of which the first = divides', () => {
    assert.deepEqual(parseSetField('url="/a?b=c"'), { kind: 'field', field: ['url', '/a?b=c'] });
    assert.deepEqual(parseSetField('price=null'), { kind: 'field', field: ['price', null] });
  });

  it('says how a text is written', () => {
    const found = parseSetField('event_id=e-1');
    assert.match(found.kind === 'invalid' ? found.why : '', /event_id='"e-1"'/);
  });

  for (const text of ['', 'event_id', '=1', 'a=']) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.equal(parseSetField(text).kind, 'invalid'));
  }
});
