/*
 * Objects that people or programs drop into a folder of the lake. An object of S3 appears whole or
 * not at all, and is only ever replaced whole: its key and etag together name one content.
 */

export type DroppedObject = {
  readonly key: string;
  readonly etag: string;
  readonly bytes: number;
  /** When ingest first saw this version, ISO-8601; the time of all its records. */
  readonly foundAt: string;
};

/** The lines of an object that one batch holds, counted from 0; a blank line counts and holds nothing. */
export type DroppedPart = DroppedObject & {
  readonly lineFirst: number;
  /** Exclusive. */
  readonly lineEnd: number;
  /** Nothing of the object comes behind this part. */
  readonly ends: boolean;
};

/** One line, or one record of CSV, which may have several lines. */
export type DroppedLine =
  | { readonly kind: 'record'; readonly line: number; readonly value: Uint8Array }
  | {
      readonly kind: 'fault';
      /** Where it begins. */
      readonly line: number;
      readonly reason: DroppedFault;
      readonly detail: string;
      readonly value: Uint8Array | null;
    };

/** What is wrong with a line before anybody looks for a record in it. */
export type DroppedFault =
  'TOO_LARGE' | 'NOT_UTF8' | 'CSV_BROKEN' | 'OBJECT_TRUNCATED' | 'OBJECT_UNREADABLE';

/** Makes lines of bytes as they come. */
export type LineReader = {
  push(bytes: Uint8Array): readonly DroppedLine[];
  /** What is left; `broken` says why the bytes end before the object does. */
  end(broken: string | null): readonly DroppedLine[];
  /** Lines so far, the one under way not counted. */
  lines(): number;
  /** The object is given up: nothing more of it is looked at. */
  isOver(): boolean;
};

/** Where the records of a folder come from, in place of a Kafka topic. No topic may have this name. */
export const dropTopic = 'drop';
