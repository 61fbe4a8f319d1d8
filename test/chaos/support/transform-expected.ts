import { type ExpectedEvent } from '../../e2e/expected.ts';
import {
  type ChaosBatch,
  type ChaosEvent,
  earlyLog,
  mainLog,
  movedId,
} from './transform-batches.ts';

/* What silver must hold, worked out from the batches alone. */

export type ExpectedWindow = {
  readonly bronze: number;
  readonly rejected: number;
  readonly duplicates: number;
  /** Accepted, each id once. */
  readonly events: readonly ChaosEvent[];
};

/** A window that was built whole from these batches. */
export function expectedWindow(batches: readonly ChaosBatch[], window: string): ExpectedWindow {
  const rows = batches
    .flatMap(({ ingestTime, events }) => events.map((event) => ({ event, ingestTime })))
    .filter(({ event }) => event.hour === window)
    .sort((a, b) => (a.ingestTime < b.ingestTime ? -1 : a.ingestTime > b.ingestTime ? 1 : 0));
  const accepted = rows.map(({ event }) => event).filter(({ isBroken }) => !isBroken);
  const byId = new Map<string, ChaosEvent>();
  for (const event of accepted) if (!byId.has(event.id)) byId.set(event.id, event);
  return {
    bronze: rows.length,
    rejected: rows.length - accepted.length,
    duplicates: accepted.length - byId.size,
    events: [...byId.values()],
  };
}

/** Ids of a table partition as one text. */
export function idsText(ids: readonly string[]): string {
  return [...ids].sort().join(' ');
}

/**
 * Every content that a whole version may give the table partition of an event type: batches of the
 * main log count from the first up to any; the event that moves is where a fold or a whole build has it.
 */
export function wholeContents(
  batches: readonly ChaosBatch[],
  window: string,
  type: string,
): ReadonlySet<string> {
  const main = batches.filter(({ log }) => log === mainLog);
  const texts = new Set<string>();
  for (let count = 0; count <= main.length; count += 1) {
    const { events } = expectedWindow(main.slice(0, count), window);
    const ids = events
      .filter((event) => event.type === type && event.id !== movedId)
      .map(({ id }) => id);
    texts.add(idsText(ids));
    if (window === movedHour(batches)) texts.add(idsText([...ids, movedId]));
  }
  return texts;
}

function movedHour(batches: readonly ChaosBatch[]): string | undefined {
  const isHere = batches.flatMap(({ log, events }) => (log === earlyLog ? [] : events));
  return isHere.find(({ id }) => id === movedId)?.hour;
}

/** As the words of gold have it. */
export function asExpectedEvents(events: readonly ChaosEvent[]): readonly ExpectedEvent[] {
  return events.map(({ id, type, hour, second, user, session, device, cents }) => ({
    id,
    type,
    ms: Date.parse(`${hour}:00:00.000Z`) + second * 1_000,
    date: hour.slice(0, 10),
    hour: hour.slice(-2),
    user,
    session,
    device,
    location: null,
    product: cents === null ? null : 'p1',
    productName: null,
    category: cents === null ? null : 'Books',
    quantity: 1,
    cents: type === 'purchase' ? cents : null,
  }));
}
