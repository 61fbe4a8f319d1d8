import type { DropDecision, DropVerdict } from '../lake/drop.ts';
import type { DroppedPart } from '../lake/dropped-object.ts';
import {
  type DropVersion,
  dropDecisionKey,
  dropTakenKey,
  dropTakenPrefix,
  parseDropTakenKey,
} from '../lake/drop-paths.ts';
import type { ObjectStore } from '../ports.ts';
import { sha256 } from './hash.ts';
import { jsonBytes, readJson } from './json-objects.ts';

/* Which versions of dropped objects were taken, and what people have decided about others. */

/** Ids of the taken versions, by the id of their key. */
export type TakenVersions = Map<string, Set<string>>;

const none: ReadonlySet<string> = new Set();

export function versionOf({ key, etag }: { key: string; etag: string }): DropVersion {
  const bare = etag.replaceAll('"', '');
  const versionId = /^[0-9A-Za-z-]{1,80}$/.test(bare) ? bare : sha256(etag).slice(0, 32);
  return { keyId: sha256(key).slice(0, 32), versionId };
}

/** A thousand versions a request. */
export async function readTaken(
  objects: Pick<ObjectStore, 'listObjects'>,
  dataset: string,
): Promise<TakenVersions> {
  const taken: TakenVersions = new Map();
  for (const { key } of await objects.listObjects(dropTakenPrefix(dataset))) {
    const version = parseDropTakenKey(key);
    if (version !== null) noteTaken(taken, version);
  }
  return taken;
}

export function noteTaken(taken: TakenVersions, { keyId, versionId }: DropVersion): void {
  const versions = taken.get(keyId);
  if (versions === undefined) taken.set(keyId, new Set([versionId]));
  else versions.add(versionId);
}

export function takenOf(taken: TakenVersions, { keyId }: DropVersion): ReadonlySet<string> {
  return taken.get(keyId) ?? none;
}

/** Marks a version whose last part is sealed or given up. Twice is the same as once. */
export async function markTaken(
  objects: Pick<ObjectStore, 'createObject'>,
  dataset: string,
  { key, etag, bytes, foundAt, lineEnd }: DroppedPart,
): Promise<DropVersion> {
  const version = versionOf({ key, etag });
  const facts = { schema: 1, key, etag, bytes, foundAt, lines: lineEnd };
  await objects.createObject(dropTakenKey(dataset, version), jsonBytes(facts));
  return version;
}

export async function readVerdict(
  objects: Pick<ObjectStore, 'readObject'>,
  dataset: string,
  version: DropVersion,
): Promise<DropVerdict | null> {
  return (await readDecision(objects, dataset, version))?.verdict ?? null;
}

async function readDecision(
  objects: Pick<ObjectStore, 'readObject'>,
  dataset: string,
  version: DropVersion,
): Promise<DropDecision | null> {
  const key = dropDecisionKey(dataset, version);
  const found = await readJson<DropDecision>(objects, key);
  return found?.value ?? null;
}

/** Keeps a decision; answers the one that counts, which is the first about a version. */
export async function decide(
  objects: Pick<ObjectStore, 'createObject' | 'readObject'>,
  dataset: string,
  decision: DropDecision,
): Promise<DropDecision> {
  const version = versionOf(decision);
  const key = dropDecisionKey(dataset, version);
  const created = await objects.createObject(key, jsonBytes(decision));
  if (created.kind === 'created') return decision;
  return (await readDecision(objects, dataset, version)) ?? decision;
}
