import assert from 'node:assert/strict';
import {
  bytesJson,
  bytesText,
  countsLine,
  shownLines,
  tableCells,
} from '../../src/cli/dead-letters-text.ts';

describe('bytesText', () => {
  const cases: readonly (readonly [string, Uint8Array | null, string])[] = [
    ['UTF-8 as it is', Buffer.from('größer\n'), 'größer\n'],
    ['nothing', null, '(null)'],
    ['no bytes', Buffer.alloc(0), '(no bytes)'],
    ['a few other bytes as hex', Buffer.from([0xc3, 0x28]), 'hex c328'],
    ['many other bytes as base64', Buffer.alloc(65, 0xff), `base64 ${'/'.repeat(86)}8=`],
    ['what a terminal would obey by its number', Buffer.from('a\u001b[2Jb'), 'a\\u001b[2Jb'],
  ];
  for (const [name, bytes, wanted] of cases) {
    it(`shows ${name}`, () => assert.equal(bytesText(bytes), wanted));
  }
});

describe('bytesJson', () => {
  it('keeps every byte, as text or as base64', () => {
    assert.deepEqual(bytesJson(Buffer.from('a\u001b')), { text: 'a\u001b' });
    assert.deepEqual(bytesJson(Buffer.from([0xc3])), { base64: 'ww==' });
    assert.equal(bytesJson(null), null);
  });
});

describe('countsLine', () => {
  it('has the most frequent reason first', () => {
    const counts = new Map([
      ['EMPTY', 1],
      ['NOT_JSON', 1_200],
    ]);
    assert.equal(countsLine(counts), 'NOT_JSON 1,200, EMPTY 1; 1,201 in all');
    assert.equal(countsLine(new Map()), 'There are no such dead letters.');
  });
});

describe('tableCells', () => {
  it('has no control characters and no long details', () => {
    const detail = `\u001b${'x'.repeat(100)}`;
    const letter = {
      id: 'i',
      ingest_time: 't',
      topic: 'c',
      reason: 'r',
      field: null,
      detail,
      state: 'open',
    };
    const shown = `\\u001b${'x'.repeat(54)}…`;
    assert.deepEqual(tableCells(letter), ['i', 't', 'r', null, shown, 'open']);
  });
});

describe('shownLines', () => {
  const letter = {
    id: 'clicks-0-000000000007/12',
    topic: 'clicks',
    partition: 0,
    offset: '12',
    reason: 'NOT_UTF8',
    field: null,
    detail: 'invalid UTF-8',
    kafkaTime: 'then',
    ingestTime: 'later',
    key: Buffer.from('k'),
    headers: { trace: [Buffer.from('a'), Buffer.from([0xff])] },
    value: Buffer.from('v'.repeat(150)),
  };

  it('tells everything, and breaks long lines', () => {
    const lines = shownLines({ letter, state: { kind: 'open', attempt: 0 } }, null);
    assert.deepEqual(lines.slice(-4), [
      ['key', 'k'],
      ['header trace', 'a'],
      ['header trace', 'hex ff'],
      ['value', `${'v'.repeat(100)}\n${'v'.repeat(50)}`],
    ]);
    assert.ok(lines.some(([name, text]) => name === 'state' && text === 'open'));
  });

  it('says that a claim alone may have been sent', () => {
    const claim = {
      id: letter.id,
      attempt: 1,
      claimId: 'c',
      time: 'now',
      author: 'ada',
      digest: null,
      corrected: true,
    };
    const lines = shownLines(
      { letter, state: { kind: 'claimed', attempt: 1 } },
      { claim, sent: null },
    );
    assert.deepEqual(
      lines.filter(([name]) => name === 'claimed' || name === 'sent'),
      [
        ['claimed', 'now by ada, corrected'],
        ['sent', 'not confirmed: it may have been sent'],
      ],
    );
  });
});
