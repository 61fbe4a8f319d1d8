import type { FrontierPromise, LogProgress } from './owner-state.ts';

/*
 * How far the owner is with one source log. A lane says "sealed up to n, frontier t": everything
 * before t is in the batches up to n. That closes no window before those batches are routed, or a
 * window would be built whole from half of what it has.
 */

const unknownLog: LogProgress = {
  sealedTo: -1,
  routedTo: -1,
  frontier: '1970-01-01T00:00:00.000Z',
  promised: [],
};

/**
 * A level, not an edge: an older message never takes anything back. A log that was retired and says
 * something new is served again.
 */
export function logTold(known: LogProgress | undefined, told: FrontierPromise): LogProgress {
  const log = known === undefined ? unknownLog : heard(known, told);
  const sealedTo = Math.max(log.sealedTo, told.sealedTo);
  return keepPromises({ ...log, sealedTo }, [...log.promised, told]);
}

function heard(known: LogProgress, told: FrontierPromise): LogProgress {
  const { retired, ...log } = known;
  const isNew =
    told.sealedTo > log.sealedTo ||
    [log, ...log.promised].every((one) => one.frontier < told.frontier);
  return retired === undefined || isNew ? log : known;
}

/** Batches up to `through` were routed to their windows. */
export function logRouted(log: LogProgress, through: number): LogProgress {
  const routedTo = Math.max(log.routedTo, through);
  return keepPromises({ ...log, routedTo }, log.promised);
}

/**
 * Makes good the promises that routing has reached. Of the others two are enough: the next one to be
 * reached, so that a log which is always ahead of its routing still has a frontier that moves, and
 * the one that goes furthest.
 */
function keepPromises(log: LogProgress, promises: readonly FrontierPromise[]): LogProgress {
  const reached = promises.filter(({ sealedTo }) => sealedTo <= log.routedTo);
  const open = promises.filter(({ sealedTo }) => sealedTo > log.routedTo);
  const next = open.toSorted((a, b) => a.sealedTo - b.sealedTo || byFrontier(b, a)).slice(0, 1);
  const furthest = open.toSorted(byFrontier).slice(-1);
  return {
    ...log,
    frontier: [log, ...reached].toSorted(byFrontier).at(-1)!.frontier,
    promised: next[0] === furthest[0] ? next : [...next, ...furthest],
  };
}

type WithFrontier = { readonly frontier: string };

function byFrontier(a: WithFrontier, b: WithFrontier): number {
  return a.frontier < b.frontier ? -1 : Number(a.frontier > b.frontier);
}
