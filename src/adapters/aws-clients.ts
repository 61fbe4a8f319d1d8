import { GlueClient, type GlueClientConfig } from '@aws-sdk/client-glue';
import {
  CreateBucketCommand,
  HeadBucketCommand,
  PutPublicAccessBlockCommand,
  S3Client,
  type BucketLocationConstraint,
} from '@aws-sdk/client-s3';
import type { Config } from '../config.ts';
import { messageOf } from '../errors.ts';
import { awsErrorName, awsErrorStatus, withAwsFaults } from './aws-faults.ts';

export type AwsSettings = Pick<Config, 'awsEndpoint' | 'AWS_REGION'>;

/** Whoever creates the client destroys it. */
export function createS3Client(config: AwsSettings): S3Client {
  return new S3Client({
    ...commonOptions(config),
    // The endpoint of a stand-in has no DNS name for each bucket.
    forcePathStyle: config.awsEndpoint !== undefined,
    // The SDK sends a CRC of every body and checks that of every answer that has one. ministack
    // and S3 both verify it, so bytes that broke on the way are never stored.
    requestChecksumCalculation: 'WHEN_SUPPORTED',
    responseChecksumValidation: 'WHEN_SUPPORTED',
  });
}

/** Whoever creates the client destroys it. */
export function createGlueClient(config: AwsSettings): GlueClient {
  return new GlueClient(commonOptions(config));
}

export type EnsuredBucket = {
  readonly created: boolean;
  /** Why public access is not blocked, `null` when it is or the bucket was there before. */
  readonly publicAccessOpen: string | null;
};

/**
 * Creates the bucket where it is missing, with public access blocked. A bucket that is already
 * there is left as it is. Twice, or by two at once, is fine.
 */
export async function ensureBucket(
  client: S3Client,
  bucket: string,
  region: string,
): Promise<EnsuredBucket> {
  return withAwsFaults({ part: 'S3', client, facts: { bucket, region } }, async () => {
    if (await bucketExists(client, bucket)) return { created: false, publicAccessOpen: null };
    const created = await createBucket(client, bucket, region);
    return { created, publicAccessOpen: created ? await blockPublicAccess(client, bucket) : null };
  });
}

function commonOptions(config: AwsSettings) {
  const sockets = { keepAlive: true, maxSockets: 64 };
  return {
    region: config.AWS_REGION,
    // Temporal owns the long retry; the SDK only bridges a lost packet.
    maxAttempts: 3,
    requestHandler: {
      connectionTimeout: 2_000,
      requestTimeout: 30_000,
      throwOnRequestTimeout: true,
      socketTimeout: 30_000,
      httpAgent: sockets,
      httpsAgent: sockets,
    },
    ...(config.awsEndpoint === undefined ? {} : endpointOptions(config.awsEndpoint)),
  } satisfies GlueClientConfig;
}

/** A stand-in on this machine takes any credentials; elsewhere the usual chain finds them. */
function endpointOptions(endpoint: string) {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  return { endpoint, ...(isLoopback(endpoint) ? { credentials } : {}) };
}

function isLoopback(endpoint: string): boolean {
  const { hostname } = new URL(endpoint);
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
}

async function bucketExists(client: S3Client, bucket: string): Promise<boolean> {
  try {
    await client.send(new HeadBucketCommand({ Bucket: bucket }));
    return true;
  } catch (error) {
    if (awsErrorStatus(error) === 404) return false;
    throw error;
  }
}

/** Whether it was this call that created it. */
async function createBucket(client: S3Client, bucket: string, region: string): Promise<boolean> {
  // us-east-1 is the one region that may not be named here.
  const where =
    region === 'us-east-1'
      ? {}
      : {
          CreateBucketConfiguration: { LocationConstraint: region as BucketLocationConstraint },
        };
  try {
    await client.send(new CreateBucketCommand({ Bucket: bucket, ...where }));
    return true;
  } catch (error) {
    if (awsErrorName(error) === 'BucketAlreadyOwnedByYou') return false;
    throw error;
  }
}

/**
 * Best effort: S3 blocks public access to new buckets by itself, so this only says it once more,
 * and a stand-in or a policy that refuses it leaves the bucket no more open than it was.
 */
async function blockPublicAccess(client: S3Client, bucket: string): Promise<string | null> {
  try {
    await client.send(
      new PutPublicAccessBlockCommand({
        Bucket: bucket,
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          IgnorePublicAcls: true,
          BlockPublicPolicy: true,
          RestrictPublicBuckets: true,
        },
      }),
    );
    return null;
  } catch (error) {
    return messageOf(error);
  }
}
