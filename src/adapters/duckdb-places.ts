import type { TableInput } from '../ports.ts';
import { makePlace, type SessionContext, type SessionPlace } from './duckdb-session.ts';

/*
 * Places of closed sessions, kept for the next ones: making a database and its folder takes as long
 * as a small build has to do in it. Names and files of a session go when it is closed, but for the
 * shared tables, which go when the next session does not want them.
 */

export type Places = {
  readonly take: (tables: readonly TableInput[]) => Promise<SessionPlace>;
  /** One that was not left in peace is removed: an interrupt may still be on its way. */
  readonly leave: (place: SessionPlace, isInPeace: boolean) => Promise<void>;
};

/**
 * The engine keeps what it knows of every file that a database has read, 56 KiB of one of bronze as
 * measured, and nothing takes that back but the end of the database.
 */
const filesMax = 1_000;

export function createPlaces(context: SessionContext, kept: number): Places {
  const idle: SessionPlace[] = [];
  /** Also those that sessions have, and those that are being made. */
  let places = 0;
  const make = async (): Promise<SessionPlace> => {
    places += 1;
    try {
      return await makePlace(context);
    } catch (error) {
      places -= 1;
      throw error;
    }
  };
  const remove = async (place: SessionPlace): Promise<void> => {
    places -= 1;
    await place.remove();
  };
  const isKept = (place: SessionPlace): boolean =>
    idle.length < kept && place.names.countFiles() < filesMax;
  return {
    take: async (tables) => {
      const place = takeNearest(idle, tables, places < kept) ?? (await make());
      try {
        await place.names.keepOnly(tables);
      } catch (error) {
        await remove(place);
        throw error;
      }
      return place;
    },
    leave: async (place, isInPeace) => {
      if (!isInPeace || !isKept(place)) return remove(place);
      try {
        await place.names.forgetOwn();
      } catch {
        // Whatever it is that stays in it, nobody else shall see it.
        return remove(place);
      }
      if (isKept(place)) idle.push(place);
      else await remove(place);
    },
  };
}

/**
 * The one that has most of these tables, if any has one; otherwise the one that was left the longest
 * ago, so that the tables of the others stay, and a new one as long as there is room.
 */
function takeNearest(
  idle: SessionPlace[],
  tables: readonly TableInput[],
  hasRoom: boolean,
): SessionPlace | undefined {
  const kept = idle.map(({ names }) => names.countKept(tables));
  const most = Math.max(0, ...kept);
  const isShared = tables.some((table) => table.kind === 'files' && table.isShared === true);
  if (most === 0 && isShared && hasRoom) return undefined;
  const index = most === 0 ? 0 : kept.lastIndexOf(most);
  return idle.splice(index, 1)[0];
}
