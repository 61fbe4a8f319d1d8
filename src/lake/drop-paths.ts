/* Where the lake keeps what it knows of dropped objects. */

/**
 * A version of a dropped object. Keys may be as long as S3 allows and hold any character, so their
 * hash is what names them here.
 */
export type DropVersion = { readonly keyId: string; readonly versionId: string };

/** All versions that were taken: listing it tells which, without reading any. */
export function dropTakenPrefix(dataset: string): string {
  return `_drop/${dataset}/taken/`;
}

/** Says that a version was taken to its end. Created after its last batch is sealed. */
export function dropTakenKey(dataset: string, { keyId, versionId }: DropVersion): string {
  return `${dropTakenPrefix(dataset)}${keyId}-${versionId}.json`;
}

/** `null` for a key that names no version. */
export function parseDropTakenKey(key: string): DropVersion | null {
  const match = /\/([0-9a-f]{32})-([0-9A-Za-z-]+)\.json$/.exec(key);
  return match === null ? null : { keyId: match[1]!, versionId: match[2]! };
}

/** What a person has decided about a version. */
export function dropDecisionKey(dataset: string, { keyId, versionId }: DropVersion): string {
  return `_drop/${dataset}/decisions/${keyId}-${versionId}.json`;
}
