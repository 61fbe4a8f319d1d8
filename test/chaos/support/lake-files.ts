import { GetObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';

/** All objects of a lake at rest, by key, in key order. */
export type LakeFiles = ReadonlyMap<string, Uint8Array>;

const readsAtOnce = 16;

/** Reads the whole bucket with plain requests: the code that wrote it has no part in looking at it. */
export async function readLakeFiles(
  client: S3Client,
  bucket: string,
  prefix = '',
): Promise<LakeFiles> {
  const keys = await listKeys(client, bucket, prefix);
  const files = new Map<string, Uint8Array>();
  for (let at = 0; at < keys.length; at += readsAtOnce) {
    const some = keys.slice(at, at + readsAtOnce);
    const bytes = await Promise.all(some.map((key) => readKey(client, bucket, key)));
    for (const [index, key] of some.entries()) files.set(key, bytes[index]!);
  }
  return files;
}

/** In byte order. */
export async function listKeys(
  client: S3Client,
  bucket: string,
  prefix: string,
): Promise<readonly string[]> {
  const keys: string[] = [];
  let token: string | undefined;
  do {
    const answer = await client.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token }),
    );
    keys.push(...(answer.Contents ?? []).map(({ Key }) => Key ?? ''));
    token = answer.NextContinuationToken;
  } while (token !== undefined);
  return keys;
}

export async function readKey(client: S3Client, bucket: string, key: string): Promise<Uint8Array> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  if (Body === undefined) throw new Error(`${key} has no body`);
  return Body.transformToByteArray();
}
