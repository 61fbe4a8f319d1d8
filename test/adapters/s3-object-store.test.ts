import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { S3Client } from '@aws-sdk/client-s3';
import { createS3Client, ensureBucket } from '../../src/adapters/aws-clients.ts';
import { probeConditionalWrites } from '../../src/adapters/conditional-write-probe.ts';
import { emptyAndDeleteBucket } from '../../src/adapters/namespace-cleanup.ts';
import { createS3ObjectStore } from '../../src/adapters/s3-object-store.ts';
import { loadConfig } from '../../src/config.ts';
import { IngotError } from '../../src/errors.ts';
import type { ObjectStore } from '../../src/ports.ts';
import { describeObjectParts } from '../support/contracts/object-parts.ts';
import { describeObjectStore } from '../support/contracts/object-store.ts';

const config = loadConfig(process.env);

type Bucket = { readonly client: S3Client; readonly bucket: string; readonly store: ObjectStore };

async function openBucket(): Promise<Bucket> {
  const client = createS3Client(config);
  const bucket = `ingot-test-${randomBytes(6).toString('hex')}`;
  await ensureBucket(client, bucket, config.AWS_REGION);
  return { client, bucket, store: createS3ObjectStore({ client, bucket }) };
}

async function closeBucket({ client, bucket }: Bucket): Promise<void> {
  await emptyAndDeleteBucket(client, bucket);
  client.destroy();
}

const open = async () => {
  const opened = await openBucket();
  return { store: opened.store, close: () => closeBucket(opened) };
};

describeObjectStore('S3', open);
describeObjectParts('S3', open);

describe('createS3ObjectStore', () => {
  let opened: Bucket;
  before(async () => {
    opened = await openBucket();
  });
  after(() => closeBucket(opened));

  /** A second client, whose answers to PutObject are lost once after the server acted. */
  function storeThatLosesOneAnswer(): { readonly store: ObjectStore; readonly lost: () => number } {
    const client = createS3Client(config);
    let lost = 0;
    client.middlewareStack.add(
      (next, context) => async (args) => {
        const answer = await next(args);
        if (context.commandName !== 'PutObjectCommand' || lost > 0) return answer;
        lost += 1;
        throw Object.assign(new Error('socket hang up'), {
          code: 'ECONNRESET',
          name: 'TimeoutError',
        });
      },
      // Inside the retry loop of the SDK, outside the reading of the answer.
      { step: 'finalizeRequest', priority: 'low', name: 'loseOneAnswer' },
    );
    return { store: createS3ObjectStore({ client, bucket: opened.bucket }), lost: () => lost };
  }

  it('answers alreadyExists with its own content to a create whose answer was lost', async () => {
    const { store, lost } = storeThatLosesOneAnswer();
    const answer = await store.createObject('lost/create', Buffer.from('mine'));
    assert.equal(lost(), 1);
    assert.deepEqual(answer, { kind: 'alreadyExists' });
    const stored = await store.readObject('lost/create');
    assert.equal(Buffer.from(stored?.bytes ?? []).toString(), 'mine');
  });

  it('answers conflict with its own content to a swap whose answer was lost', async () => {
    await opened.store.createObject('lost/swap', Buffer.from('before'));
    const etag = (await opened.store.headObject('lost/swap'))?.etag ?? null;
    const { store, lost } = storeThatLosesOneAnswer();
    const answer = await store.swapObject('lost/swap', Buffer.from('mine'), etag);
    assert.equal(lost(), 1);
    assert.deepEqual(answer, { kind: 'conflict' });
    const stored = await store.readObject('lost/swap');
    assert.equal(Buffer.from(stored?.bytes ?? []).toString(), 'mine');
  });

  it('repeats a write that met another conditional write under way', async () => {
    const client = createS3Client(config);
    let refused = 0;
    client.middlewareStack.add(
      (next, context) => async (args) => {
        if (context.commandName !== 'PutObjectCommand' || refused === 3) return next(args);
        refused += 1;
        throw Object.assign(new Error('a conflicting operation'), {
          name: 'ConditionalRequestConflict',
          $metadata: { httpStatusCode: 409 },
        });
      },
      { step: 'finalizeRequest', priority: 'low', name: 'conflictThrice' },
    );
    const store = createS3ObjectStore({ client, bucket: opened.bucket });
    assert.deepEqual(await store.createObject('conflict', Buffer.from('a')), { kind: 'created' });
    assert.equal(refused, 3);
  });

  /** A store whose DeleteObjects is answered here, with the sizes of what was asked. */
  function storeThatDeletes(errors: readonly object[]) {
    const client = createS3Client(config);
    const sizes: number[] = [];
    client.middlewareStack.add(
      () => async (args) => {
        const { Delete } = args.input as { Delete: { Objects: object[] } };
        sizes.push(Delete.Objects.length);
        return { output: { $metadata: {}, Errors: errors } as never, response: {} };
      },
      { step: 'initialize', name: 'answerDeletes' },
    );
    return { store: createS3ObjectStore({ client, bucket: 'b' }), sizes };
  }

  it('deletes at most 1,000 keys a call', async () => {
    const { store, sizes } = storeThatDeletes([]);
    await store.deleteObjects(Array.from({ length: 2_500 }, (_, i) => `k${i}`));
    assert.deepEqual(sizes, [1_000, 1_000, 500]);
  });

  it('throws for a key that was not deleted, retryable where S3 only asks to wait', async () => {
    const busy = { Key: 'k1', Code: 'SlowDown' };
    const denied = { Key: 'k2', Code: 'AccessDenied' };
    await assert.rejects(storeThatDeletes([busy]).store.deleteObjects(['k1', 'k2']), {
      code: 'PART_UNREACHABLE',
      retryable: true,
    });
    await assert.rejects(storeThatDeletes([busy, denied]).store.deleteObjects(['k1', 'k2']), {
      message: 'S3 did not delete some objects [bucket=b, key=k1, code=SlowDown, kept=2, asked=2]',
    });
  });

  it('reads 300 objects at once without running out of sockets', async () => {
    await opened.store.createObject('sockets', Buffer.alloc(10_000));
    const reads = Array.from({ length: 300 }, () => opened.store.readObject('sockets'));
    const sizes = (await Promise.all(reads)).map((stored) => stored?.bytes.byteLength);
    assert.deepEqual(new Set(sizes), new Set([10_000]));
  });

  it('names bucket and key in any other error', async () => {
    const store = createS3ObjectStore({
      client: opened.client,
      bucket: 'ingot-test-no-such-bucket',
    });
    const expected = /NoSuchBucket: .*\[bucket=ingot-test-no-such-bucket, key=k\]/;
    await assert.rejects(store.createObject('k', Buffer.from('a')), expected);
    await assert.rejects(store.swapObject('k', Buffer.from('a'), '"e"'), expected);
    await assert.rejects(store.readObject('k'), expected);
  });

  it('says PART_UNREACHABLE with the address when nothing listens', async () => {
    const client = createS3Client({ awsEndpoint: 'http://127.0.0.1:1', AWS_REGION: 'us-west-2' });
    const store = createS3ObjectStore({ client, bucket: 'b' });
    await assert.rejects(
      store.readObject('k'),
      (error) =>
        error instanceof IngotError &&
        error.code === 'PART_UNREACHABLE' &&
        error.retryable &&
        error.cause instanceof Error &&
        error.message ===
          'S3 cannot be reached [address=http://127.0.0.1:1, bucket=b, key=k, reason=ECONNREFUSED]',
    );
  });
});

describe('ensureBucket', () => {
  it('creates a bucket once, however often and by however many it is asked', async () => {
    const client = createS3Client(config);
    const bucket = `ingot-test-${randomBytes(6).toString('hex')}`;
    const ensure = () => ensureBucket(client, bucket, config.AWS_REGION);
    try {
      assert.deepEqual(await ensure(), { created: true, publicAccessOpen: null });
      assert.deepEqual(await ensure(), { created: false, publicAccessOpen: null });
      await Promise.all([ensure(), ensure(), ensure()]);
    } finally {
      await emptyAndDeleteBucket(client, bucket);
      client.destroy();
    }
  });
});

describe('probeConditionalWrites on S3', () => {
  it('accepts this store and leaves nothing behind', async () => {
    const opened = await openBucket();
    try {
      await probeConditionalWrites(opened.store, 'probe');
      assert.deepEqual(await opened.store.listObjects(''), []);
    } finally {
      await closeBucket(opened);
    }
  });
});
