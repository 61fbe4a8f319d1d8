import { ApplicationFailure } from '@temporalio/common';
import { IngotError } from '../errors.ts';

/**
 * The one place where a fault becomes a Temporal failure: `type` is the code, so that workflows
 * compare strings and never classes. Unknown errors pass through with their stack.
 */
export function toApplicationFailure(error: unknown): unknown {
  if (!(error instanceof IngotError)) return error;
  return ApplicationFailure.create({
    message: error.message,
    type: error.code,
    nonRetryable: !error.retryable,
    details: [error.facts],
    cause: error.cause instanceof Error ? error.cause : error,
  });
}
