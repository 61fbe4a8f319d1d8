import { IngotError } from '../errors.ts';
import { retentionKey } from '../lake/paths.ts';
import { type Retention, goneBefore, isExpired, nothingAnnounced } from '../lake/retention.ts';
import type { WindowId } from '../lake/window.ts';
import type { ObjectStore } from '../ports.ts';
import { readJson } from './json-objects.ts';

export type StoredRetention = { readonly retention: Retention; readonly etag: string | null };

/** What may be gone of a dataset. Without an object, nothing is. */
export async function readRetention(
  objects: ObjectStore,
  dataset: string,
): Promise<StoredRetention> {
  const found = await readJson<Retention>(objects, retentionKey(dataset));
  return { retention: found?.value ?? nothingAnnounced, etag: found?.etag ?? null };
}

/** Refuses to build a window that readers have been told is gone: what is left of it is not whole. */
export function requireKept(
  retention: Retention,
  layer: 'silver' | 'gold',
  windows: readonly WindowId[],
): void {
  const window = windows.find((id) => isExpired(retention, layer, id));
  if (window === undefined) return;
  const before = goneBefore(retention, layer);
  throw new IngotError(
    'RETENTION_PASSED',
    `${layer} of this window is past its retention, so that it cannot be built any more`,
    { retryable: false, facts: { window, keptFrom: before } },
  );
}

/** Refuses to replace a version by one of the few batches whose files are still there. */
export function refusedRebuild(
  window: WindowId,
  facts: { readonly gone: number; readonly version: string },
): IngotError {
  return new IngotError(
    'RETENTION_PASSED',
    'batches of this window are past the retention of bronze: a rebuild would lose their rows, ' +
      'so the current version stays',
    { retryable: false, facts: { window, ...facts } },
  );
}
