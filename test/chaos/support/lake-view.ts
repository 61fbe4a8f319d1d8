import { type GlueClient, GetPartitionsCommand } from '@aws-sdk/client-glue';
import { ListObjectVersionsCommand, type S3Client } from '@aws-sdk/client-s3';
import { GetObjectCommand } from '@aws-sdk/client-s3';

/*
 * Catalog and pointers as somebody sees them who has only the interfaces of AWS: nothing here imports
 * what wrote them. The bucket keeps versions, so every pointer that ever was can still be read.
 */

export type LakeView = {
  readonly s3: S3Client;
  readonly glue: GlueClient;
  readonly bucket: string;
  /** Suffix of the databases. */
  readonly id: string;
};

export type SeenPartition = {
  readonly values: readonly string[];
  /** Folder in the bucket, with its slash. */
  readonly folder: string;
  readonly rows: number;
};

export type SeenPointer = {
  readonly layer: 'silver' | 'gold';
  readonly table: string;
  readonly window: string;
  readonly version: string;
  readonly sequence: number;
  readonly previous: string | null;
  readonly mode: 'fold' | 'seal' | 'rebuild';
  readonly rows: number;
  readonly files: readonly {
    readonly key: string;
    readonly rows: number;
    readonly bytes: number;
    readonly partition: Readonly<Record<string, string>>;
  }[];
  readonly logs: Readonly<Record<string, { readonly through: number }>>;
  readonly silver: Readonly<Record<string, string>>;
  readonly quarantineKeys: readonly string[];
  readonly accounting: Readonly<
    Record<'bronze' | 'silver' | 'duplicates' | 'rejected', number>
  > | null;
};

/** Nothing where the catalog has no such table. */
export async function seenPartitions(
  { glue, bucket, id }: LakeView,
  layer: string,
  table: string,
): Promise<readonly SeenPartition[]> {
  const found: SeenPartition[] = [];
  let token: string | undefined;
  do {
    const request = { DatabaseName: `${layer}_${id}`, TableName: table, NextToken: token };
    const answer = await glue.send(new GetPartitionsCommand(request)).catch((error: unknown) => {
      if ((error as Error).name === 'EntityNotFoundException') return null;
      throw error;
    });
    if (answer === null) return [];
    for (const { Values = [], StorageDescriptor, Parameters } of answer.Partitions ?? []) {
      const folder = (StorageDescriptor?.Location ?? '').replace(`s3://${bucket}/`, '');
      found.push({ values: Values, folder, rows: Number(Parameters?.['numRows']) });
    }
    token = answer.NextToken;
  } while (token !== undefined);
  return found;
}

export type ObjectVersion = {
  readonly key: string;
  readonly versionId: string;
  readonly etag: string;
};

/** Everything that ever lay under a prefix: by key, oldest first. */
export async function objectVersions(
  { s3, bucket }: LakeView,
  prefix: string,
): Promise<ReadonlyMap<string, readonly ObjectVersion[]>> {
  const found = new Map<string, ObjectVersion[]>();
  let marker: { readonly KeyMarker?: string; readonly VersionIdMarker?: string } = {};
  for (;;) {
    const answer = await s3.send(
      new ListObjectVersionsCommand({ Bucket: bucket, Prefix: prefix, ...marker }),
    );
    for (const { Key: key = '', VersionId: versionId = '', ETag: etag = '' } of answer.Versions ??
      []) {
      // The newest comes first.
      found.set(key, [{ key, versionId, etag }, ...(found.get(key) ?? [])]);
    }
    if (answer.IsTruncated !== true) return found;
    marker = {
      ...(answer.NextKeyMarker === undefined ? {} : { KeyMarker: answer.NextKeyMarker }),
      ...(answer.NextVersionIdMarker === undefined
        ? {}
        : { VersionIdMarker: answer.NextVersionIdMarker }),
    };
  }
}

/** All pointers that ever were, by key, oldest first. */
export async function pointerHistory(
  view: LakeView,
  prefix = '_current/',
): Promise<ReadonlyMap<string, readonly SeenPointer[]>> {
  const versions = await objectVersions(view, prefix);
  const found = new Map<string, readonly SeenPointer[]>();
  for (const [key, list] of versions) {
    found.set(
      key,
      await Promise.all(list.map(({ versionId }) => readVersion(view, key, versionId))),
    );
  }
  return found;
}

async function readVersion(
  { s3, bucket }: LakeView,
  key: string,
  versionId: string,
): Promise<SeenPointer> {
  const { Body } = await s3.send(
    new GetObjectCommand({ Bucket: bucket, Key: key, VersionId: versionId }),
  );
  return JSON.parse((await Body?.transformToString()) ?? '') as SeenPointer;
}

export function folderOf(key: string): string {
  return key.slice(0, key.lastIndexOf('/') + 1);
}
