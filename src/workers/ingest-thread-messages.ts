import type { GroupSpec } from '../activities/ingest-group.ts';
import type { LogReport } from '../activities/ingest-logs.ts';
import type { Config } from '../config.ts';
import { type ErrorCode, type ErrorFacts, IngotError, messageOf } from '../errors.ts';
import type { TopicPartitionOffsets } from '../ports.ts';

/* What a worker of ingest and its threads say to each other. */

export type ThreadStart = {
  readonly config: Config;
  readonly dataset: string;
  /** Threads that share the buffers of the process. */
  readonly groups: number;
};

/** All but `begin` are about the group that was begun last. */
export type ToThread =
  | { readonly kind: 'begin'; readonly spec: GroupSpec }
  | {
      readonly kind: 'observe';
      readonly offsets: readonly TopicPartitionOffsets[];
      readonly atMs: number;
    }
  | { readonly kind: 'drop'; readonly log: string }
  | { readonly kind: 'finish' | 'halt' };

/** After `ended` nothing runs in the thread, and it may be told to begin again. */
export type FromThread =
  | { readonly kind: 'report' | 'ended'; readonly reports: readonly LogReport[] }
  | { readonly kind: 'failed'; readonly error: PlainError };

/** An error that has crossed between threads, which keeps neither its class nor its code. */
export type PlainError = {
  readonly message: string;
  readonly stack: string | null;
  readonly fault: {
    readonly code: ErrorCode;
    readonly retryable: boolean;
    readonly facts: ErrorFacts;
  } | null;
};

export function toPlainError(error: unknown): PlainError {
  const stack = error instanceof Error ? (error.stack ?? null) : null;
  if (!(error instanceof IngotError)) return { message: messageOf(error), stack, fault: null };
  const { code, retryable, facts, message } = error;
  return { message, stack, fault: { code, retryable, facts } };
}

export function fromPlainError({ message, stack, fault }: PlainError): Error {
  const error =
    fault === null ? new Error(message) : new IngotError(fault.code, withoutFacts(message), fault);
  if (stack !== null) error.stack = stack;
  return error;
}

/** The facts are written at the end of a message once more. */
function withoutFacts(message: string): string {
  return message.replace(/ \[[^\]]*\]$/, '');
}
