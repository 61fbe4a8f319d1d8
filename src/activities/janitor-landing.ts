import { type Found, type Tally, tallyOf } from '../lake/janitor-tally.ts';
import { dropTakenKey } from '../lake/drop-paths.ts';
import { dayMs } from '../lake/time.ts';
import type { ObjectSummary } from '../ports.ts';
import { versionOf } from './drop-index.ts';
import { readJson } from './json-objects.ts';
import type { Sweeping } from './janitor-page.ts';

/*
 * The drop folder. What was taken to its end and is past its time goes; what waits, what a person has
 * to decide about, and what replaced a taken object stays, however old it is. The notes of what was
 * taken stay for ever: without them a file that is dropped once more would be taken once more.
 */

const pageKeys = 1_000;
const readsAtOnce = 16;

/** The next objects of the folder; `null` behind the last one, or when files are kept for ever. */
export async function nextLanding(
  { deps }: Sweeping,
  after: string,
): Promise<readonly ObjectSummary[] | null> {
  const { prefix, days } = deps.landing;
  if (days === 0) return null;
  const startAfter = after === '' ? prefix : after;
  const page = await deps.ports.objects.listObjects(prefix, { startAfter, limit: pageKeys });
  return page.length === 0 ? null : page;
}

export async function sweepLanding(
  sweeping: Sweeping,
  page: readonly ObjectSummary[],
): Promise<Tally> {
  const free: Found[] = [];
  for (let at = 0; at < page.length; at += readsAtOnce) {
    const some = page.slice(at, at + readsAtOnce);
    const states = await Promise.all(some.map((object) => isPast(sweeping, object)));
    free.push(...some.filter((_, index) => states[index]));
  }
  const { deps, dryRun } = sweeping;
  if (!dryRun && free.length > 0)
    await deps.ports.objects.deleteObjects(free.map(({ key }) => key));
  return tallyOf('landing', free);
}

async function isPast({ deps, nowMs }: Sweeping, object: ObjectSummary): Promise<boolean> {
  const key = dropTakenKey(deps.dataset.name, versionOf(object));
  const taken = await readJson<{ readonly foundAt: string }>(deps.ports.objects, key);
  return taken !== null && nowMs - Date.parse(taken.value.foundAt) >= deps.landing.days * dayMs;
}
