import { goldBuildId, silverBuildId } from './messages.ts';
import type { OwnerState } from './owner-state.ts';

/** Ids of the builds of windows that wait for a person's decision: what they staged is needed yet. */
export function parkedBuilds(state: Pick<OwnerState, 'dataset' | 'silver' | 'gold'>): string[] {
  const silver = Object.entries(state.silver).flatMap(([window, { parked }]) =>
    parked === null ? [] : [silverBuildId(state.dataset, window)],
  );
  const gold = Object.entries(state.gold).flatMap(([key, { parked }]) => {
    const slash = key.lastIndexOf('/');
    return parked === null ? [] : [goldBuildId(key.slice(0, slash), key.slice(slash + 1))];
  });
  return [...silver, ...gold];
}
