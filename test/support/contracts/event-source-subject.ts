import { type ErrorCode, IngotError } from '../../../src/errors.ts';
import type { EventSource } from '../../../src/ports.ts';
import type { Position } from '../event-source-reading.ts';

/* What the contract suite of EventSource is run on, and the records of its cases. */

export type NewContractRecord = {
  readonly key?: Buffer | string | null;
  readonly value: Buffer | string | null;
  readonly headers?: Readonly<Record<string, Buffer | readonly Buffer[]>>;
};

export type EventSourceSubject = {
  readonly source: EventSource;
  /** Answers the name of a new topic. */
  readonly createTopic: (partitions: number) => Promise<string>;
  /** One call is one batch, compressed where there is compression. */
  readonly append: (
    topic: string,
    partition: number,
    records: readonly NewContractRecord[],
  ) => Promise<void>;
  /** Uses up at least so many offsets that no reader sees: an aborted transaction. */
  readonly appendInvisible: (topic: string, partition: number, count: number) => Promise<void>;
  readonly deleteBefore: (topic: string, partition: number, offset: string) => Promise<void>;
  /** Deletes the topic and makes one of the same name; it has this one topic partition. */
  readonly recreateTopic: (topic: string) => Promise<void>;
  readonly committedOffsets: (group: string) => Promise<readonly Position[]>;
  readonly close: () => Promise<void>;
};

export type Subject = () => EventSourceSubject;

export const numbered = (count: number, first = 0): NewContractRecord[] =>
  Array.from({ length: count }, (_, i) => ({ key: `k${first + i}`, value: `v${first + i}` }));

export const range = (first: number, end: number): string[] =>
  Array.from({ length: end - first }, (_, i) => String(first + i));

/** A check for `assert.rejects`. */
export const withCode = (code: ErrorCode, retryable: boolean) => (error: unknown) =>
  error instanceof IngotError && error.code === code && error.retryable === retryable;
