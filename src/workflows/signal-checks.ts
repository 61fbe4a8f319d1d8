import type { Cause } from '../lake/cause.ts';
import { authorBytesMax, jsonTextBytes, reasonBytesMax } from '../lake/clip.ts';
import type { HourDue, LogPosition, LogRequest, LogsStopped } from '../lake/messages.ts';
import type { ResolveGate } from '../lake/owner-gates.ts';
import type { RetireRequest } from '../lake/owner-retired.ts';
import type { RewindRequest } from '../lake/owner-rewind.ts';
import type { LogAdvanced, WindowBuilt } from '../lake/owner-state.ts';
import { formatInstant, parseInstant } from '../lake/time.ts';
import { wildTimesId } from '../lake/wild-times.ts';
import { parseWindowId } from '../lake/window.ts';

/*
 * Anybody can send a signal, also by hand in the Web UI. What comes in is looked at once, here:
 * these functions return the message, or throw a sentence that says what is wrong with it.
 */

/** A frontier cannot be ahead of the clock; where a writer's clock is, it counts as now. */
export function checkedLogAdvanced(message: unknown, nowMs: number): LogAdvanced {
  const { logs } = anObject(message, 'the message');
  if (!Array.isArray(logs)) throw new Error('logs is not a list');
  return {
    logs: logs.map((entry: unknown) => {
      const { log, sealedTo, frontier } = anObject(entry, 'an entry of logs');
      return {
        log: aLog(log),
        sealedTo: aNumber(sealedTo, -1),
        frontier: instant(frontier, nowMs),
      };
    }),
  };
}

/** The hour must have begun: gold of the future would never be complete. */
export function checkedHourDue(message: unknown, nowMs: number): HourDue {
  const { hour } = anObject(message, 'the message');
  const window = typeof hour === 'string' ? parseWindowId(hour) : null;
  if (window?.grain !== 'hour') throw new Error(`not an hour: ${String(hour)}`);
  if (window.startMs > nowMs) throw new Error(`has not begun: ${window.id}`);
  return { hour: window.id };
}

/** A decision about a source log names it, who decides, and why. */
export function checkedLogRequest(message: unknown): LogRequest {
  const { log, author, reason } = anObject(message, 'the request');
  return { log: aLog(log), author: anAuthor(author), reason: aReason(reason) };
}

export function checkedLogsStopped(message: unknown): LogsStopped {
  const { stopped } = anObject(message, 'the message');
  if (!Array.isArray(stopped)) throw new Error('stopped is not a list');
  return { stopped: stopped.map(stoppedPosition) };
}

function stoppedPosition(value: unknown): LogPosition {
  const position = anObject(value, 'an entry of stopped');
  const { code, message } = anObject(position['stopped'], 'why a log is stopped');
  const count = (name: string): number => aNumber(position[name], 0);
  return {
    log: aLog(position['log']),
    number: aNumber(position['number'], -1),
    offsetNext: aText(position['offsetNext']),
    frontier: aText(position['frontier']),
    batches: count('batches'),
    records: count('records'),
    rows: count('rows'),
    deadLetters: count('deadLetters'),
    stopped: { code: aText(code), message: aText(message) },
  };
}

/** A decision about a parked window: which, what, who and why. */
export function checkedResolveGate(message: unknown): ResolveGate {
  const { layer, table, window, decision, author, reason } = anObject(message, 'the request');
  const isSilver =
    oneOf(['silver', 'gold'], layer ?? (table == null ? 'silver' : 'gold')) === 'silver';
  return {
    layer: isSilver ? 'silver' : 'gold',
    table: isSilver ? null : aText(table),
    window: isSilver && window === wildTimesId ? wildTimesId : aWindow(window),
    decision: oneOf(['retry', 'waive', 'abandon'], decision),
    author: anAuthor(author),
    reason: aReason(reason ?? ''),
  };
}

/** A rewind names each log and the batch that its bookmark shall stand at. */
export function checkedRewind(message: unknown): RewindRequest {
  const { to, author, reason } = anObject(message, 'the request');
  const numbers = Object.entries(anObject(to, 'to'));
  return {
    to: Object.fromEntries(
      numbers.map(([log, number]) => [aLog(log), aNumber(number, -1)] as const),
    ),
    author: anAuthor(author ?? 'unknown'),
    reason: aReason(reason ?? ''),
  };
}

/** To retire a source log names it. */
export function checkedRetire(message: unknown): RetireRequest {
  const { log, author, reason } = anObject(message, 'the request');
  return { log: aLog(log), author: anAuthor(author ?? 'unknown'), reason: aReason(reason ?? '') };
}

/** Who asks for something, and why. */
export function checkedPause(message: unknown): {
  readonly author: string;
  readonly reason: string;
} {
  const { author, reason } = anObject(message ?? {}, 'the request');
  if (typeof reason !== 'string' || reason.trim() === '') {
    throw new Error('say why: {"author": "…", "reason": "…"}');
  }
  return { author: anAuthor(author ?? 'unknown'), reason: aReason(reason) };
}

const outcomes = ['published', 'unchanged', 'superseded', 'blocked', 'failed'] as const;
const modes = ['fold', 'seal', 'rebuild'] as const;

export function checkedWindowBuilt(message: unknown): WindowBuilt {
  const built = anObject(message, 'the message');
  const common = {
    window: aWindow(built['window']),
    outcome: oneOf(outcomes, built['outcome']),
    rows: aNumber(built['rows'], 0),
    version: aTextOrNull(built['version']),
    durationMs: aNumber(built['durationMs'], 0),
    reason: aTextOrNull(built['reason']),
    checks: aListOfTexts(built['checks'] ?? []),
    cause: aCause(built['cause'] ?? null),
  };
  if (oneOf(['silver', 'gold'], built['layer']) === 'gold') {
    return { layer: 'gold', table: aText(built['table']), ...common };
  }
  const through = Object.entries(anObject(built['through'], 'through'));
  return {
    layer: 'silver',
    mode: oneOf(modes, built['mode']),
    through: Object.fromEntries(
      through.map(([log, number]) => [aLog(log), aNumber(number, -1)] as const),
    ),
    ...common,
  };
}

export function anObject(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>;
  }
  throw new Error(`${name} is not an object`);
}

const logPattern = /^[A-Za-z0-9._-]{1,249}-\d{1,9}$/;

function aLog(value: unknown): string {
  if (typeof value === 'string' && logPattern.test(value)) return value;
  throw new Error(`not the name of a source log: ${String(value)}`);
}

function aNumber(value: unknown, min: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= min) return value as number;
  throw new Error(`not a whole number from ${min} on: ${String(value)}`);
}

function instant(value: unknown, nowMs: number): string {
  const ms = typeof value === 'string' ? parseInstant(value) : null;
  if (ms === null) throw new Error(`not an instant: ${String(value)}`);
  return formatInstant(Math.min(ms, nowMs));
}

function aWindow(value: unknown): string {
  if (typeof value === 'string' && parseWindowId(value) !== null) return value;
  throw new Error(`not a window: ${String(value)}`);
}

export function aText(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new Error(`not a text: ${String(value)}`);
}

/** They stay in the state of a workflow, which has little room. */
function aReason(value: unknown): string {
  return aShortText(value, 'the reason', reasonBytesMax);
}

function anAuthor(value: unknown): string {
  return aShortText(value, 'the name of the author', authorBytesMax);
}

function aShortText(value: unknown, name: string, bytesMax: number): string {
  const text = aText(value);
  if (jsonTextBytes(text) <= bytesMax) return text;
  throw new Error(`${name} takes more than ${bytesMax} bytes: say it shorter`);
}

function aListOfTexts(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.map(aText);
  throw new Error(`not a list: ${String(value)}`);
}

/** It is only compared with what the owner has asked for, so its insides need no look. */
function aCause(value: unknown): Cause | null {
  if (value === null) return null;
  return anObject(value, 'cause') as Cause;
}

function aTextOrNull(value: unknown): string | null {
  return value === null ? null : aText(value);
}

export function oneOf<T extends string>(allowed: readonly T[], value: unknown): T {
  const found = allowed.find((each) => each === value);
  if (found !== undefined) return found;
  throw new Error(`not one of ${allowed.join(', ')}: ${String(value)}`);
}
