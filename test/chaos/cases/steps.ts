import type { StepSpec } from '../support/steps.ts';

/* The named steps of ingest, as its object store sees them. */

type Place = Pick<StepSpec, 'call' | 'key' | 'content'>;

const create = (key: string, content?: string): Place => ({
  call: 'createObject',
  key,
  ...(content === undefined ? {} : { content }),
});

/** Everything that ingest creates, in the order in which it does. */
export const objects = {
  takeover: create('^_log/.*\\d{12}\\.json$', '"kind":"takeover"'),
  plan: create('^_log/.*\\d{12}\\.json$', '"kind":"plan"'),
  raw: create('^raw/'),
  bronze: create('^bronze/'),
  deadLetters: create('^dead_letters/'),
  seal: create('\\.seal\\.json$'),
} as const;

/** The first signal that tells of a sealed batch: its heartbeat was sent just before. */
const signal: Place = { call: 'tellOwner', key: '^lakehouse/', content: '"sealedTo":[1-9]' };

const wait = (place: Place, when: StepSpec['when'], nth: number): StepSpec => ({
  ...place,
  when,
  nth,
  act: 'wait',
});

/** Where a process is stopped. A batch or two have gone well before. */
export const stops = {
  'before-takeover': wait(objects.takeover, 'before', 1),
  'after-takeover': wait(objects.takeover, 'after', 1),
  'before-plan': wait(objects.plan, 'before', 2),
  'between-plan-and-write': wait(objects.plan, 'after', 2),
  'between-raw-copy-and-parquet': wait(objects.raw, 'after', 2),
  'between-parquet-and-dead-letters': wait(objects.deadLetters, 'before', 2),
  'after-dead-letters': wait(objects.deadLetters, 'after', 2),
  'between-write-and-seal': wait(objects.seal, 'before', 2),
  'after-seal-before-heartbeat': wait(objects.seal, 'after', 2),
  'after-heartbeat-before-signal': wait(signal, 'before', 1),
} as const satisfies Readonly<Record<string, StepSpec>>;

export type Stop = keyof typeof stops;
