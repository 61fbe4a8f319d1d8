import { IngotError } from '../errors.ts';
import type {
  PublishInput,
  PublishResult,
  RegisterBronzeInput,
  WindowRef,
} from '../lake/messages.ts';
import { bronzeFolder, bronzePartitionValues } from '../lake/paths.ts';
import { type Pointer, decidePublish } from '../lake/pointer.ts';
import {
  diffPartitions,
  isOnlyPartition,
  leadingValues,
  wantedPartitions,
} from '../lake/registration.ts';
import { formatInstant } from '../lake/time.ts';
import { windowOf } from '../lake/window.ts';
import type { CatalogTable } from '../ports.ts';
import { partitionsOf, repairTable } from './catalog-repair.ts';
import {
  type CatalogDeps,
  applyDiff,
  catalogTable,
  registeredPartitions,
} from './catalog-tables.ts';
import { goldTable } from './gold.ts';
import type { JsonObject } from './json-objects.ts';
import type { PointerStore } from './pointer-store.ts';
import { readStaged } from './pointers.ts';

/* Publishing a staged version, and making the catalog equal to the pointers. */

export type CatalogActivities = {
  publishVersion(input: PublishInput): Promise<PublishResult>;
  /** Makes the catalog equal to the pointer of a window, whatever it is by then. */
  registerWindow(input: WindowRef): Promise<{ readonly version: string | null }>;
  registerBronzeHours(input: RegisterBronzeInput): Promise<void>;
};

/** The pointer may move while it is registered; more rounds than this is a fault. */
const registerRoundsMax = 5;

export type CatalogActivityDeps = CatalogDeps & { readonly pointers: PointerStore };

export function createCatalogActivities(deps: CatalogActivityDeps): CatalogActivities {
  const ensured = new Set<string>();
  const oneAtATime = createQueues();
  return {
    publishVersion: (input) => publishVersion(deps, input),
    registerWindow: (ref) =>
      // One registrar per table: two of them could put an older version over a newer one.
      oneAtATime(ref.table, () => registerWindow(deps, ensured, ref)),
    registerBronzeHours: (input) =>
      oneAtATime('bronze', () => registerBronzeHours(deps, ensured, input)),
  };
}

/**
 * The only commit of a build: a compare-and-swap of the pointer. What this process saw last is tried
 * first, since the swap proves it; whatever else comes of that is decided by the pointer as it is.
 */
async function publishVersion(
  deps: CatalogActivityDeps,
  { ref, version, gate, cause }: PublishInput,
): Promise<PublishResult> {
  const { ports, pointers } = deps;
  // From the lake, not from memory: it may have been staged again by others, or be gone.
  const staged = await readStaged(ports.objects, ref, version);
  const table = { layer: ref.layer, name: ref.table };
  const pointer: Pointer = {
    ...staged,
    score: gate.score,
    warnings: [...staged.warnings, ...gate.warnings],
    ...(gate.waived === null ? {} : { waived: gate.waived }),
    ...(cause === null ? {} : { cause }),
    builtAt: formatInstant(ports.now()),
  };
  const seen = pointers.lastSeen(table, ref.window);
  if (seen !== undefined) {
    const tried = await tryPublish(pointers, pointer, seen);
    if (tried.kind === 'published') return tried;
  }
  const found = await pointers.readCurrent(table, ref.window);
  const result = await tryPublish(pointers, pointer, found);
  if (result.kind !== 'conflict') return result;
  const now = await pointers.readCurrent(table, ref.window);
  // A lost answer looks like a conflict: our own version in place means that we had won.
  if (now?.value.version === version) return { kind: 'alreadyPublished' };
  return { kind: 'superseded', by: now?.value.version ?? 'nothing' };
}

async function tryPublish(
  pointers: PointerStore,
  pointer: Pointer,
  found: JsonObject<Pointer> | null,
): Promise<PublishResult | { readonly kind: 'conflict' }> {
  const decision = decidePublish(pointer, found?.value ?? null);
  if (decision.kind === 'alreadyPublished') return { kind: 'alreadyPublished' };
  if (decision.kind === 'superseded') return { kind: 'superseded', by: decision.by };
  const swapped = await pointers.swap(pointer, found?.etag ?? null);
  return swapped.kind === 'swapped' ? { kind: 'published' } : { kind: 'conflict' };
}

async function registerWindow(
  deps: CatalogActivityDeps,
  ensured: Set<string>,
  ref: WindowRef,
): Promise<{ readonly version: string | null }> {
  const { dataset, pointers } = deps;
  const table = ref.layer === 'silver' ? dataset.silver : goldTable(dataset, ref.table);
  const target = catalogTable(deps, table);
  await ensureOnce(deps, ensured, target);
  const readNow = async (): Promise<Pointer | null> =>
    (await pointers.readCurrent(table, ref.window))?.value ?? null;
  let pointer = await readNow();
  for (let round = 0; round < registerRoundsMax; round += 1) {
    await withTable(deps, ensured, target, () => makeEqual(deps, target, ref.window, pointer));
    const now = await readNow();
    if (now?.version === pointer?.version) return { version: pointer?.version ?? null };
    pointer = now;
  }
  throw new IngotError('CATALOG_UNSETTLED', 'a pointer kept moving while it was registered', {
    retryable: true,
    facts: { table: ref.table, window: ref.window },
  });
}

async function makeEqual(
  deps: CatalogDeps,
  target: CatalogTable,
  window: string,
  pointer: Pointer | null,
): Promise<void> {
  const wanted = pointer === null ? [] : wantedPartitions(target.table, pointer);
  if (isOnlyPartition(target.table, windowOf(window), wanted)) {
    const expected = (pointer?.previous ?? null) === null ? 'new' : 'there';
    return applyDiff(deps, target, { put: wanted, remove: [] }, expected);
  }
  const { catalog } = deps.ports;
  // By their values where they are known: a listing may cost as much as the table has table partitions.
  const found =
    pointer?.partitionsEver === undefined
      ? await catalog.listPartitions(target, leadingValues(windowOf(window)))
      : await catalog.findPartitions(target, pointer.partitionsEver);
  const diff = diffPartitions(wanted, registeredPartitions(deps, found));
  await applyDiff(deps, target, diff, found.length === 0 ? 'new' : 'there');
}

async function registerBronzeHours(
  deps: CatalogDeps,
  ensured: Set<string>,
  { dataset, hours }: RegisterBronzeInput,
): Promise<void> {
  const target = catalogTable(deps, deps.dataset.bronze);
  await ensureOnce(deps, ensured, target);
  const partitions = hours.map((hour) => {
    const { startMs } = windowOf(hour);
    return {
      values: bronzePartitionValues(startMs),
      location: `s3://${deps.bucket}/${bronzeFolder(dataset, startMs)}`,
      // Bronze hours grow; their rows are counted by reading them.
      rows: 0,
    };
  });
  if (partitions.length === 0) return;
  await withTable(deps, ensured, target, () =>
    deps.ports.catalog.putPartitions(target, partitions, 'new'),
  );
}

/** A table that is not there is made, and gets all that the lake has of it: it may have been lost. */
async function ensureOnce(
  deps: CatalogDeps,
  ensured: Set<string>,
  target: CatalogTable,
): Promise<void> {
  const name = `${target.database}.${target.table.name}`;
  if (ensured.has(name)) return;
  const isGone = (await partitionsOf(deps, target, noPartition(target))) === null;
  if (isGone) await repairTable(deps, target.table, { dryRun: false });
  else await deps.ports.catalog.ensureTable(target);
  ensured.add(name);
}

/** Values that no table partition has: asks whether the table is there, and for nothing else. */
function noPartition({ table }: CatalogTable): readonly string[] {
  return table.partitionColumns.map(({ type }) => (type === 'date' ? '0001-01-01' : '0001'));
}

/** Does it again after making all of the table anew, where it turns out to be gone. */
async function withTable(
  deps: CatalogDeps,
  ensured: Set<string>,
  target: CatalogTable,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof IngotError && error.code === 'CATALOG_UNSETTLED')) throw error;
    ensured.delete(`${target.database}.${target.table.name}`);
    await ensureOnce(deps, ensured, target);
    await work();
  }
}

/** One queue of one for each name. */
function createQueues(): <T>(name: string, work: () => Promise<T>) => Promise<T> {
  const tails = new Map<string, Promise<unknown>>();
  return (name, work) => {
    const next = (tails.get(name) ?? Promise.resolve()).then(work, work);
    tails.set(name, next);
    return next;
  };
}
