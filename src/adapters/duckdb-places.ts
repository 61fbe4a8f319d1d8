import { makePlace, type SessionContext, type SessionPlace } from './duckdb-session.ts';

/*
 * Places of closed sessions, kept for the next ones: making a database and its folder takes as long
 * as a small build has to do in it. Names and files of a session go when it is closed.
 */

export type Places = {
  readonly take: () => Promise<SessionPlace>;
  /** One that was not left in peace is removed: an interrupt may still be on its way. */
  readonly leave: (place: SessionPlace, isInPeace: boolean) => Promise<void>;
};

/** The engine keeps what it knows of every file that a database has read; nothing takes that back. */
const usesMax = 50;

export function createPlaces(context: SessionContext, kept: number): Places {
  const idle: SessionPlace[] = [];
  const uses = new WeakMap<SessionPlace, number>();
  const isKept = (place: SessionPlace): boolean =>
    idle.length < kept && (uses.get(place) ?? 0) < usesMax;
  return {
    take: async () => {
      const place = idle.pop() ?? (await makePlace(context));
      uses.set(place, (uses.get(place) ?? 0) + 1);
      return place;
    },
    leave: async (place, isInPeace) => {
      if (!isInPeace || !isKept(place)) return place.remove();
      try {
        await place.names.forgetAll();
      } catch {
        // Whatever it is that stays in it, nobody else shall see it.
        return place.remove();
      }
      if (isKept(place)) idle.push(place);
      else await place.remove();
    },
  };
}
