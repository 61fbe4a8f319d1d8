/* What the key of a file of a table tells about its bytes. */

/**
 * Names what a file of a table holds: copies of it in the folders of later versions have the same, as
 * they keep the name of the version that wrote them. Any other key stands for itself.
 */
export function contentOf(key: string): string {
  return key.replace(
    /^((?:silver|gold)\/.*\/)\d{6}-[0-9a-f]{12}\/(\d{6}-[0-9a-f]{12}\.parquet)$/,
    '$1$2',
  );
}

/** Whether a version has written a file of its own, or has it from one before. */
export function isWrittenBy(version: string, key: string): boolean {
  return key.endsWith(`/${version}.parquet`);
}
