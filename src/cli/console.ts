import { MultiBar } from 'cli-progress';
import Table from 'cli-table3';
import pc from 'picocolors';
import type { Environment } from '../config.ts';
import { messageOf } from '../errors.ts';
import { csvLines, type Cell } from './csv.ts';
import { printable } from './printable.ts';

export type { Cell } from './csv.ts';

/** A line that says how far a piece of work is. Exactly one of `succeed` and `fail` ends it. */
export type Progress = {
  readonly update: (done: number, note?: string) => void;
  /** Says what is being done now, at once. */
  readonly note: (text: string) => void;
  readonly succeed: (note?: string) => void;
  readonly fail: (note?: string) => void;
};

/** How every verb talks to a person: progress goes to stderr, results go to stdout. */
export type CliConsole = {
  /** Without a total the line shows the elapsed seconds only. Several may run at once. */
  readonly progress: (title: string, total?: number) => Progress;
  /** Shows a line while `work` runs. What it returns is returned; what it throws is thrown. */
  readonly step: <T>(title: string, work: (progress: Progress) => Promise<T>) => Promise<T>;
  /** A sentence for the person, on stderr. */
  readonly say: (text: string) => void;
  /** Lines of prose that are the result, on stdout. */
  readonly printText: (lines: readonly string[]) => void;
  readonly printTable: (columns: readonly string[], rows: readonly (readonly Cell[])[]) => void;
  readonly printJson: (value: unknown) => void;
  readonly printCsv: (columns: readonly string[], rows: readonly (readonly Cell[])[]) => void;
};

export type ConsoleStreams = {
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly env: Environment;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
};

type Lines = {
  readonly open: (line: Line) => {
    readonly changed: () => void;
    readonly noted: () => void;
    readonly closed: () => void;
  };
};

type Line = {
  readonly title: string;
  readonly total: number | undefined;
  readonly startedMs: number;
  done: number;
  note: string;
  state: 'running' | 'succeeded' | 'failed';
};

/** On a pipe or in a log, a running line is repeated this often at most. */
const plainEveryMs = 5_000;
const framesPerSecond = 10;
const spinner = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

export function createConsole(streams: ConsoleStreams): CliConsole {
  const colors = (stream: { readonly isTTY?: boolean }): ReturnType<typeof pc.createColors> =>
    pc.createColors(stream.isTTY === true && (streams.env['NO_COLOR'] ?? '') === '');
  const lines =
    streams.stderr.isTTY === true
      ? liveLines(streams, colors(streams.stderr))
      : plainLines(streams);
  const progress = (title: string, total?: number): Progress =>
    openProgress({ title, total, lines, streams });
  return {
    progress,
    step: (title, work) => runStep(progress(title), work),
    say: (text) => void streams.stderr.write(`${printable(text)}\n`),
    printText: (lines) => void streams.stdout.write(`${printable(lines.join('\n'))}\n`),
    printTable: (columns, rows) =>
      void streams.stdout.write(`${renderTable(columns, rows, colors(streams.stdout))}\n`),
    printJson: (value) => void streams.stdout.write(`${JSON.stringify(value, bigintAsText, 2)}\n`),
    printCsv: (columns, rows) => void streams.stdout.write(csvLines(columns, rows)),
  };
}

async function runStep<T>(
  progress: Progress,
  work: (progress: Progress) => Promise<T>,
): Promise<T> {
  let ended = false;
  const once = (end: (note?: string) => void) => (note?: string) => {
    ended = true;
    end(note);
  };
  try {
    const result = await work({
      ...progress,
      succeed: once(progress.succeed),
      fail: once(progress.fail),
    });
    if (!ended) {
      progress.succeed();
    }
    return result;
  } catch (error) {
    if (!ended) {
      progress.fail(messageOf(error).split('\n')[0]);
    }
    throw error;
  }
}

function openProgress(options: {
  readonly title: string;
  readonly total: number | undefined;
  readonly lines: Lines;
  readonly streams: ConsoleStreams;
}): Progress {
  const { title, total } = options;
  const line: Line = {
    title,
    total,
    startedMs: options.streams.now(),
    done: 0,
    note: '',
    state: 'running',
  };
  const shown = options.lines.open(line);
  const end = (state: Line['state']) => (note?: string) => {
    line.state = state;
    line.note = printable(note ?? '');
    shown.closed();
  };
  return {
    update: (done, note) => {
      line.done = done;
      if (note !== undefined) line.note = printable(note);
      shown.changed();
    },
    note: (text) => {
      line.note = printable(text);
      shown.noted();
    },
    succeed: end('succeeded'),
    fail: end('failed'),
  };
}

/** Redraws all running lines in place. Ended lines stay; when none runs, the block is left behind. */
function liveLines(streams: ConsoleStreams, colors: ReturnType<typeof pc.createColors>): Lines {
  let bars: MultiBar | undefined;
  let running = 0;
  const format = (_options: unknown, _params: unknown, payload: { line: Line }): string =>
    renderLive(payload.line, streams.now(), colors);
  return {
    open: (line) => {
      bars ??= new MultiBar({
        format,
        stream: streams.stderr,
        fps: framesPerSecond,
        hideCursor: true,
        clearOnComplete: false,
        stopOnComplete: false,
        gracefulExit: false,
        emptyOnZero: true,
      });
      running += 1;
      bars.create(1, 0, { line });
      return {
        changed: () => undefined,
        noted: () => undefined,
        closed: () => {
          running -= 1;
          if (running === 0) {
            bars?.stop();
            bars = undefined;
          }
        },
      };
    },
  };
}

function plainLines(streams: ConsoleStreams): Lines {
  return {
    open: (line) => {
      let writtenMs = streams.now();
      const write = (): void => {
        writtenMs = streams.now();
        streams.stderr.write(`${renderPlain(line, writtenMs)}\n`);
      };
      write();
      return {
        changed: () => {
          if (streams.now() - writtenMs >= plainEveryMs) {
            write();
          }
        },
        noted: write,
        closed: write,
      };
    },
  };
}

function renderLive(line: Line, nowMs: number, colors: ReturnType<typeof pc.createColors>): string {
  const frame = spinner[Math.floor((nowMs * framesPerSecond) / 1_000) % spinner.length] ?? '';
  const marks = {
    running: colors.cyan(frame),
    succeeded: colors.green('✔'),
    failed: colors.red('✖'),
  };
  const bar =
    line.state === 'running' && line.total !== undefined
      ? ` ${renderBar(line.done / line.total)}`
      : '';
  const note = line.note === '' ? '' : ` ${colors.dim(line.note)}`;
  return `${marks[line.state]} ${line.title}${bar}${share(line)} ${colors.dim(seconds(line, nowMs))}${note}`;
}

function renderPlain(line: Line, nowMs: number): string {
  const marks = { running: '...', succeeded: 'ok ', failed: 'FAILED' };
  const note = line.note === '' ? '' : ` ${line.note}`;
  const begun = line.state === 'running' && line.done === 0 && line.note === '';
  return begun
    ? `... ${line.title}`
    : `${marks[line.state]} ${line.title}${share(line)} ${seconds(line, nowMs)}${note}`;
}

function renderBar(part: number): string {
  const width = 24;
  const full = Math.round(Math.min(1, Math.max(0, part)) * width);
  return `${'█'.repeat(full)}${'░'.repeat(width - full)}`;
}

function share({ done, total, state }: Line): string {
  if (total === undefined || (state === 'running' && done === 0)) {
    return '';
  }
  return ` ${done.toLocaleString('en-US')}/${total.toLocaleString('en-US')}`;
}

function seconds(line: Line, nowMs: number): string {
  return `${((nowMs - line.startedMs) / 1_000).toFixed(1)} s`;
}

function renderTable(
  columns: readonly string[],
  rows: readonly (readonly Cell[])[],
  colors: ReturnType<typeof pc.createColors>,
): string {
  const isNumeric = (index: number): boolean =>
    rows.some((row) => row[index] !== null) &&
    rows.every((row) => row[index] === null || ['number', 'bigint'].includes(typeof row[index]));
  const table = new Table({
    head: columns.map((column) => colors.bold(printable(column))),
    colAligns: columns.map((_, index) => (isNumeric(index) ? 'right' : 'left')),
    // The library's own colours ignore NO_COLOR and pipes.
    style: { head: [], border: [] },
  });
  table.push(
    ...rows.map((row) => row.map((cell) => (cell === null ? '' : printable(String(cell))))),
  );
  return table.toString();
}

function bigintAsText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
