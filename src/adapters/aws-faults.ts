import { setTimeout as pause } from 'node:timers/promises';
import { formatFacts, IngotError, type ErrorFacts } from '../errors.ts';

export type AwsPart = 'S3' | 'Glue';

/** What both SDK clients tell of where they send requests. */
export type AwsClient = {
  readonly config: {
    readonly region: () => Promise<string>;
    readonly endpoint?: (() => Promise<AwsEndpoint>) | undefined;
  };
};

type AwsEndpoint = {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number | undefined;
};

export type AwsCall = {
  readonly part: AwsPart;
  readonly client: AwsClient;
  /** What was asked for, such as bucket and key. */
  readonly facts: ErrorFacts;
};

/**
 * Runs one call of an SDK. A part that cannot be reached, or asks to wait, becomes
 * `PART_UNREACHABLE`; any other error passes as it is, with the facts at the end of its message.
 */
export async function withAwsFaults<T>(call: AwsCall, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw await toFault(call, error);
  }
}

/** The name that S3 and Glue give an error, such as `NoSuchKey`; empty for anything else. */
export function awsErrorName(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

/** The HTTP status of an answer that the SDK made an error of. */
export function awsErrorStatus(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } } | null)?.$metadata?.httpStatusCode;
}

/** Whether an error code, of a call or of one entry of a batch, says that waiting helps. */
export function isPassingCode(code: string): boolean {
  return passingCodes.has(code);
}

/** A short wait that grows with each attempt, spread so that competitors do not meet again. */
export async function backOff(attempt: number): Promise<void> {
  await pause(25 * 2 ** (attempt - 1) * (0.5 + Math.random()));
}

async function toFault({ part, client, facts }: AwsCall, error: unknown): Promise<unknown> {
  if (error instanceof IngotError || !(error instanceof Error)) return error;
  if (isNetworkFault(error)) {
    return new IngotError('PART_UNREACHABLE', `${part} cannot be reached`, {
      retryable: true,
      facts: { address: await addressOf(part, client), ...facts, reason: codeOf(error) },
      cause: error,
    });
  }
  if (isPassingCode(error.name) || passingStatuses.has(awsErrorStatus(error) ?? 0)) {
    return new IngotError('PART_UNREACHABLE', `${part} cannot answer now and asks to wait`, {
      retryable: true,
      facts: { address: await addressOf(part, client), ...facts, reason: error.name },
      cause: error,
    });
  }
  // The error keeps its class, name and stack: only its message learns what was asked for.
  error.message = `${part}: ${error.name}: ${error.message}${formatFacts(facts)}`;
  return error;
}

const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ERR_STREAM_PREMATURE_CLOSE',
  'TimeoutError',
]);

const passingCodes = new Set([
  'ThrottlingException',
  'Throttling',
  'TooManyRequestsException',
  'SlowDown',
  'RequestTimeout',
  'RequestLimitExceeded',
  'ServiceUnavailable',
  'InternalError',
  'InternalServiceException',
  'InternalServerException',
  'OperationTimeoutException',
  'ConcurrentModificationException',
]);

/** 501 is not among them: what a stand-in does not implement, it will not implement later. */
const passingStatuses = new Set([429, 500, 502, 503, 504]);

function isNetworkFault(error: Error): boolean {
  return networkCodes.has(codeOf(error)) || error.message === 'aborted';
}

/** Node puts it into `code`, the SDK's own timeouts only into the name. */
function codeOf(error: Error): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : error.name;
}

async function addressOf(part: AwsPart, { config }: AwsClient): Promise<string> {
  if (config.endpoint === undefined) return `${part.toLowerCase()} in ${await config.region()}`;
  const { protocol, hostname, port } = await config.endpoint();
  return `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`;
}
