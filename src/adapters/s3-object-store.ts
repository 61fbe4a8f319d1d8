import {
  CopyObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
} from '@aws-sdk/client-s3';
import { formatFacts, IngotError } from '../errors.ts';
import type {
  ListOptions,
  ObjectPart,
  ObjectStore,
  ObjectSummary,
  StoredObject,
} from '../ports.ts';
import {
  awsErrorName,
  awsErrorStatus,
  backOff,
  isPassingCode,
  withAwsFaults,
} from './aws-faults.ts';

export type S3ObjectStoreOptions = { readonly client: S3Client; readonly bucket: string };

const putAttemptsMax = 5;
const listPageKeys = 1_000;
const listPagesMax = 10_000;
const deleteChunkKeys = 1_000;

/**
 * Objects of one bucket of S3, or of a stand-in that honours `If-None-Match` and `If-Match`
 * (`probeConditionalWrites` tells).
 *
 * The SDK repeats a write whose answer was lost, and the repetition then meets its own first try:
 * `createObject` answers `alreadyExists` and `swapObject` `conflict` although the bytes are there.
 * That is what the port says, and it stays so: only the caller can tell its own content.
 */
export function createS3ObjectStore(store: S3ObjectStoreOptions): ObjectStore {
  return {
    createObject: async (key, bytes) => {
      const etag = await putObject(store, key, bytes, { IfNoneMatch: '*' });
      return { kind: etag === null ? 'alreadyExists' : 'created' };
    },
    swapObject: async (key, bytes, etag) => {
      const condition = etag === null ? { IfNoneMatch: '*' } : { IfMatch: etag };
      const etagNew = await putObject(store, key, bytes, condition);
      return etagNew === null ? { kind: 'conflict' } : { kind: 'swapped', etag: etagNew };
    },
    replaceObject: async (key, bytes) => {
      await putObject(store, key, bytes, {});
    },
    readObject: (key, part) => readObject(store, key, part),
    headObject: (key) => headObject(store, key),
    listObjects: (prefix, options = {}) => listObjects(store, prefix, options),
    copyObject: (from, to) => copyObject(store, from, to),
    deleteObjects: async (keys) => {
      for (let first = 0; first < keys.length; first += deleteChunkKeys) {
        await deleteChunk(store, keys.slice(first, first + deleteChunkKeys));
      }
    },
  };
}

type Condition = Pick<PutObjectCommandInput, 'IfNoneMatch' | 'IfMatch'>;

/** The etag of what was written, `null` when the condition did not hold. */
async function putObject(
  { client, bucket }: S3ObjectStoreOptions,
  key: string,
  bytes: Uint8Array,
  condition: Condition,
): Promise<string | null> {
  const input = { Bucket: bucket, Key: key, Body: bytes, ...condition };
  return withAwsFaults({ part: 'S3', client, facts: { bucket, key } }, async () => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const { ETag } = await client.send(new PutObjectCommand(input));
        return given(ETag, 'ETag', bucket, key);
      } catch (error) {
        if (isRefusal(error, condition)) return null;
        // Another conditional write of the key was under way. S3 wrote nothing and wants the
        // request again; the SDK does not count this one among the errors it repeats.
        const again = awsErrorName(error) === 'ConditionalRequestConflict';
        if (!again || attempt === putAttemptsMax) throw error;
        await backOff(attempt);
      }
    }
  });
}

function isRefusal(error: unknown, { IfMatch }: Condition): boolean {
  if (awsErrorStatus(error) === 412) return true;
  // What is not there has no etag to match. A missing bucket is another 404, and no refusal.
  return IfMatch !== undefined && awsErrorName(error) === 'NoSuchKey';
}

async function readObject(
  { client, bucket }: S3ObjectStoreOptions,
  key: string,
  part?: ObjectPart,
): Promise<StoredObject | null> {
  const range =
    part === undefined ? {} : { Range: `bytes=${part.first}-${part.first + part.length - 1}` };
  return withAwsFaults({ part: 'S3', client, facts: { bucket, key } }, async () => {
    try {
      const answer = await client.send(
        new GetObjectCommand({ Bucket: bucket, Key: key, ...range }),
      );
      // The body is always read to its end: an unread one keeps a socket of the pool.
      const bytes = await given(answer.Body, 'Body', bucket, key).transformToByteArray();
      return { bytes, etag: given(answer.ETag, 'ETag', bucket, key) };
    } catch (error) {
      if (awsErrorName(error) === 'NoSuchKey') return null;
      if (awsErrorStatus(error) !== 416) throw error;
      // The part begins behind the end: the object has no bytes there.
      const head = await headObject({ client, bucket }, key);
      return head === null ? null : { bytes: new Uint8Array(), etag: head.etag };
    }
  });
}

async function headObject(
  { client, bucket }: S3ObjectStoreOptions,
  key: string,
): Promise<ObjectSummary | null> {
  return withAwsFaults({ part: 'S3', client, facts: { bucket, key } }, async () => {
    try {
      const answer = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
      return {
        key,
        bytes: given(answer.ContentLength, 'ContentLength', bucket, key),
        etag: given(answer.ETag, 'ETag', bucket, key),
      };
    } catch (error) {
      // An answer to HEAD has no body, so this is a missing object or a missing bucket.
      if (awsErrorStatus(error) === 404) return null;
      throw error;
    }
  });
}

async function listObjects(
  { client, bucket }: S3ObjectStoreOptions,
  prefix: string,
  { startAfter, limit = Infinity }: ListOptions,
): Promise<readonly ObjectSummary[]> {
  const found: ObjectSummary[] = [];
  let token: string | undefined;
  for (let page = 0; page < listPagesMax && found.length < limit; page += 1) {
    const command = new ListObjectsV2Command({
      Bucket: bucket,
      Prefix: prefix,
      StartAfter: startAfter,
      ContinuationToken: token,
      MaxKeys: Math.min(listPageKeys, limit - found.length),
    });
    const answer = await withAwsFaults({ part: 'S3', client, facts: { bucket, prefix } }, () =>
      client.send(command),
    );
    for (const { Key, Size, ETag } of answer.Contents ?? []) {
      const key = given(Key, 'Key', bucket, prefix);
      const etag = given(ETag, 'ETag', bucket, key);
      found.push({ key, bytes: given(Size, 'Size', bucket, key), etag });
    }
    token = answer.NextContinuationToken;
    if (token === undefined) return found;
  }
  if (found.length >= limit) return found;
  throw new Error(
    `too many objects to list${formatFacts({ bucket, prefix, pages: listPagesMax })}`,
  );
}

async function copyObject(
  { client, bucket }: S3ObjectStoreOptions,
  from: string,
  to: string,
): Promise<void> {
  const facts = { bucket, key: from, to };
  // The source is a path in a header: percent-encoded, but for the slashes.
  const source = `${bucket}/${from.split('/').map(encodeURIComponent).join('/')}`;
  const command = new CopyObjectCommand({ Bucket: bucket, Key: to, CopySource: source });
  await withAwsFaults({ part: 'S3', client, facts }, async () => {
    try {
      await client.send(command);
    } catch (error) {
      if (awsErrorName(error) !== 'NoSuchKey') throw error;
      throw new IngotError('OBJECT_MISSING', 'there is no such object to copy', {
        retryable: false,
        facts,
        cause: error,
      });
    }
  });
}

async function deleteChunk(
  { client, bucket }: S3ObjectStoreOptions,
  keys: readonly string[],
): Promise<void> {
  const command = new DeleteObjectsCommand({
    Bucket: bucket,
    Delete: { Objects: keys.map((Key) => ({ Key })), Quiet: true },
  });
  const { Errors = [] } = await withAwsFaults({ part: 'S3', client, facts: { bucket } }, () =>
    client.send(command),
  );
  const [first] = Errors;
  if (first === undefined) return;
  const facts = {
    bucket,
    key: first.Key ?? '',
    code: first.Code ?? '',
    kept: Errors.length,
    asked: keys.length,
  };
  if (Errors.every(({ Code }) => isPassingCode(Code ?? ''))) {
    throw new IngotError('PART_UNREACHABLE', 'S3 did not delete some objects and asks to wait', {
      retryable: true,
      facts,
    });
  }
  throw new Error(`S3 did not delete some objects${formatFacts(facts)}`);
}

/** A field that S3 always sends, though the SDK types it as optional. */
function given<T>(value: T | undefined, field: string, bucket: string, key: string): T {
  if (value !== undefined) return value;
  throw new Error(`S3 answered without ${field}${formatFacts({ bucket, key })}`);
}
