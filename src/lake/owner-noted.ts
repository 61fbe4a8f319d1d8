import { utf8Length } from './clip.ts';
import type { OwnerEvent } from './owner-events.ts';
import type { OwnerState } from './owner-state.ts';
import { formatInstant } from './time.ts';

type WithoutAt<T> = T extends unknown ? Omit<T, 'at'> : never;
export type OwnerEventFacts = WithoutAt<OwnerEvent>;

/** More wait only while the lake cannot be written; then the oldest go, and are missing later. */
const eventsMax = 40;
const eventsBytesMax = 3_000;

/** Notes what has happened, until the workflow has had it kept. */
export function noted(state: OwnerState, facts: OwnerEventFacts, nowMs: number): OwnerState {
  const event: OwnerEvent = { ...facts, at: formatInstant(nowMs) };
  let events = [...state.events, event].slice(-eventsMax);
  while (events.length > 1 && utf8Length(JSON.stringify(events)) > eventsBytesMax) {
    events = events.slice(1);
  }
  return { ...state, events };
}
