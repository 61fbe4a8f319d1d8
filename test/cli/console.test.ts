import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { createConsole, type CliConsole } from '../../src/cli/console.ts';

describe('createConsole', () => {
  let out: string;
  let err: string;
  let nowMs: number;
  let console: CliConsole;

  function open(tty: boolean, env: Record<string, string> = {}): CliConsole {
    out = '';
    err = '';
    nowMs = 0;
    const stdout = Object.assign(new PassThrough(), { isTTY: tty });
    const stderr = Object.assign(new PassThrough(), { isTTY: tty });
    stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    return createConsole({ stdout, stderr, env, now: () => nowMs });
  }
  beforeEach(() => (console = open(false)));

  describe('progress, not on a terminal', () => {
    it('writes a line at the start and one at the end, to stderr', () => {
      const line = console.progress('Loading');
      nowMs = 1_250;
      line.succeed('3 files');
      assert.equal(err, '... Loading\nok  Loading 1.3 s 3 files\n');
      assert.equal(out, '');
    });

    it('repeats the line at most every five seconds, however often it is updated', () => {
      const line = console.progress('Producing', 20_000);
      for (let done = 1; done <= 20_000; done += 1) {
        nowMs = done;
        line.update(done);
      }
      line.succeed();
      assert.deepEqual(err.trimEnd().split('\n'), [
        '... Producing',
        '... Producing 5,000/20,000 5.0 s',
        '... Producing 10,000/20,000 10.0 s',
        '... Producing 15,000/20,000 15.0 s',
        '... Producing 20,000/20,000 20.0 s',
        'ok  Producing 20,000/20,000 20.0 s',
      ]);
    });

    it('writes a note at once', () => {
      console.progress('Installing').note('building with Go');
      assert.equal(err, '... Installing\n... Installing 0.0 s building with Go\n');
    });
  });

  describe('progress, on a terminal', () => {
    it('leaves a mark for how each line ended, and hands the terminal back', async () => {
      console = open(true, { NO_COLOR: '1' });
      const first = console.progress('Kafka');
      const second = console.progress('Temporal');
      first.succeed('ready');
      second.fail('no port');
      assert.match(err, /✔ Kafka 0\.0 s ready/);
      assert.match(err, /✖ Temporal 0\.0 s no port/);
      assert.ok(err.includes('\u001b[?25h'), 'the cursor is shown again');
    });
  });

  describe('step', () => {
    it('returns what the work returns', async () => {
      assert.equal(await console.step('Adding', async () => 2), 2);
      assert.equal(err, '... Adding\nok  Adding 0.0 s\n');
    });

    it('throws what the work throws, and says the first line of it', async () => {
      const failure = new Error('no disk\nand more');
      await assert.rejects(
        console.step('Adding', () => Promise.reject(failure)),
        failure,
      );
      assert.equal(err, '... Adding\nFAILED Adding 0.0 s no disk\n');
    });

    it('keeps what the work itself said at the end', async () => {
      await console.step('Adding', async (line) => line.succeed('2 files'));
      assert.equal(err, '... Adding\nok  Adding 0.0 s 2 files\n');
    });
  });

  describe('printTable', () => {
    it('puts numbers to the right, texts to the left, and nothing for an absent value', () => {
      console.printTable(
        ['name', 'rows'],
        [
          ['bronze', 12_345],
          ['gold', null],
        ],
      );
      assert.equal(
        out,
        [
          '┌────────┬───────┐',
          '│ name   │  rows │',
          '├────────┼───────┤',
          '│ bronze │ 12345 │',
          '├────────┼───────┤',
          '│ gold   │       │',
          '└────────┴───────┘',
          '',
        ].join('\n'),
      );
    });

    it('never hands a terminal what it would obey, whoever wrote it', () => {
      const evil = 'a\u001b[2J\u009b1mb';
      const shown = 'a\\u001b[2J\\u009b1mb';
      open(true, { NO_COLOR: '1' }).printTable([evil], [[evil]]);
      assert.equal(out.split(shown).length, 3);
      console = open(true, { NO_COLOR: '1' });
      console.printText([evil, 'next\tline']);
      console.say(evil);
      console.progress('Loading').fail(evil);
      assert.equal(out, `${shown}\nnext\tline\n`);
      assert.ok(err.startsWith(`${shown}\n`));
      assert.ok(err.includes(`✖ Loading 0.0 s ${shown}`));
    });

    it('uses colours on a terminal, and none when NO_COLOR is set', () => {
      open(true).printTable(['name'], [['bronze']]);
      assert.ok(out.includes('\u001b['));
      open(true, { NO_COLOR: '1' }).printTable(['name'], [['bronze']]);
      assert.ok(!out.includes('\u001b['));
    });
  });

  describe('printJson', () => {
    it('prints counts that are too large for a number as text', () => {
      console.printJson({ rows: 9_007_199_254_740_993n });
      assert.equal(out, '{\n  "rows": "9007199254740993"\n}\n');
    });
  });

  describe('printCsv', () => {
    it('follows RFC 4180, and tells an empty text from an absent value', () => {
      console.printCsv(
        ['name', 'note'],
        [
          ['a,b', 'say "no"'],
          ['', null],
          ['two\nlines', true],
        ],
      );
      assert.equal(out, 'name,note\r\n"a,b","say ""no"""\r\n"",\r\n"two\nlines",true\r\n');
    });
  });
});
