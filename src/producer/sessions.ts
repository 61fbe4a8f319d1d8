import { hourMs } from '../lake/time.ts';
import type { Catalogue, User } from './catalogue.ts';
import { createMinHeap, type MinHeap } from './min-heap.ts';
import type { Random } from './random.ts';
import { type Step, type Visit, visitPages, visitShop } from './visits.ts';

export type Profile = 'ecommerce' | 'user-activity';

export type Happening = {
  readonly step: Step;
  readonly user: User;
  readonly sessionId: string;
  /** Before its place in the stream when the visit was made offline. */
  readonly eventTimeMs: number;
};

export type Sessions = {
  /** What happens at this place in the stream; the places ascend. */
  readonly happenAt: (placeMs: number) => Happening;
};

export type SessionsOptions = {
  readonly profile: Profile;
  readonly catalogue: Catalogue;
  readonly random: Random;
  /** No event time lies before it. */
  readonly startMs: number;
  /** Share of the visits that are made offline and sent later. */
  readonly offlineShare: number;
};

type Session = {
  readonly user: User;
  readonly sessionId: string;
  readonly visit: Visit;
  /** How much later than it happened each event of the visit arrives. */
  readonly delayMs: number;
  readonly order: number;
  step: Step;
  dueMs: number;
};

/** Bounds the memory of a dense stream: from then on visitors hurry. */
const openSessionsMax = 20_000;
const pauseMeanMs = 25_000;
const pauseMinMs = 800;

/**
 * Visits that go on beside each other. A place in the stream goes to the visitor who has been
 * waiting longest, or else to a new one: so the number of visits follows the density of the places.
 */
export function createSessions(options: SessionsOptions): Sessions {
  const { random } = options;
  const open: MinHeap<Session> = createMinHeap(
    (left, right) =>
      left.dueMs < right.dueMs || (left.dueMs === right.dueMs && left.order < right.order),
  );
  let opened = 0;
  return {
    happenAt: (placeMs) => {
      const waiting = open.peek();
      const goesOn =
        waiting !== undefined && (waiting.dueMs <= placeMs || open.size() >= openSessionsMax);
      if (!goesOn) opened += 1;
      const session = (goesOn ? open.pop() : undefined) ?? openSession(options, placeMs, opened);
      const { step, user, sessionId, delayMs } = session;
      const next = session.visit.next();
      if (next.done !== true) {
        session.step = next.value;
        session.dueMs = placeMs + pauseMinMs - pauseMeanMs * Math.log(1 - random.next());
        open.push(session);
      }
      return { step, user, sessionId, eventTimeMs: placeMs - delayMs };
    },
  };
}

function openSession(options: SessionsOptions, placeMs: number, order: number): Session {
  const { random, catalogue, startMs, offlineShare } = options;
  const visit = (options.profile === 'ecommerce' ? visitShop : visitPages)({ random, catalogue });
  const first = visit.next();
  if (first.done === true) throw new Error('a visit has at least one step');
  const isOffline = random.chance(offlineShare);
  const delayMs = isOffline ? Math.floor(random.between(hourMs, 3 * hourMs)) : 0;
  return {
    user: catalogue.drawUser(random),
    sessionId: `s-${random.hex(16)}`,
    visit,
    // One delay for the whole visit, so that its events keep their order.
    delayMs: Math.min(delayMs, placeMs - startMs),
    order,
    step: first.value,
    dueMs: placeMs,
  };
}
