import type { EventSource, Fetched, ReadOptions } from '../../src/ports.ts';

export type Position = ReadOptions['positions'][number];

const limitMs = 45_000;

/** The topic partitions 0 to `partitions` − 1, all from the same offset. */
export function positionsFrom(
  topic: string,
  partitions: number,
  offset: string,
): readonly Position[] {
  return Array.from({ length: partitions }, (_, partition) => ({ topic, partition, offset }));
}

/** Reads until `until` says so of what was fetched, and answers it. Fails after a limit. */
export async function readUntil(
  source: EventSource,
  options: {
    readonly positions: readonly Position[];
    readonly until: (fetched: readonly Fetched[]) => boolean;
    readonly onFetched?: ReadOptions['onFetched'];
  },
): Promise<readonly Fetched[]> {
  const fetched: Fetched[] = [];
  const done = new AbortController();
  const limit = AbortSignal.timeout(limitMs);
  if (options.until(fetched)) return fetched;
  await source.read({
    positions: options.positions,
    signal: AbortSignal.any([done.signal, limit]),
    onFetched: async (each) => {
      await options.onFetched?.(each);
      fetched.push(each);
      if (options.until(fetched)) done.abort();
    },
  });
  if (limit.aborted) throw new Error(`not read within ${limitMs} ms: ${describe(fetched)}`);
  return fetched;
}

/**
 * Reads from the positions to the ends that the topics have now, or to those given; with no ends
 * it reads until it fails.
 */
export async function collect(
  source: EventSource,
  positions: readonly Position[],
  ends?: readonly Position[],
  onFetched?: ReadOptions['onFetched'],
): Promise<readonly Fetched[]> {
  const wanted = ends ?? (await endsOf(source, positions));
  const isThere = (fetched: readonly Fetched[]): boolean =>
    wanted.length > 0 &&
    wanted.every((end) => {
      const begin = positions.find((position) => isSame(position, end));
      const last = fetched.filter((each) => isSame(each, end)).at(-1);
      return BigInt(last?.offsetNext ?? begin?.offset ?? 0) >= BigInt(end.offset);
    });
  return readUntil(source, {
    positions,
    until: isThere,
    ...(onFetched === undefined ? {} : { onFetched }),
  });
}

export function offsetsOf(
  fetched: readonly Fetched[],
  topic: string,
  partition: number,
): readonly string[] {
  return recordsOf(fetched, topic, partition).map(({ offset }) => offset);
}

export function textsOf(
  fetched: readonly Fetched[],
  topic: string,
  partition: number,
): readonly string[] {
  return recordsOf(fetched, topic, partition).map(({ value }) =>
    Buffer.from(value ?? []).toString(),
  );
}

function recordsOf(fetched: readonly Fetched[], topic: string, partition: number) {
  return fetched
    .filter((each) => isSame(each, { topic, partition }))
    .flatMap(({ records }) => records);
}

async function endsOf(
  source: EventSource,
  positions: readonly Position[],
): Promise<readonly Position[]> {
  const topics = [...new Set(positions.map(({ topic }) => topic))];
  const found = (await Promise.all(topics.map((topic) => source.describeTopic(topic)))).flat();
  return positions.map((position) => ({
    ...position,
    offset: found.find((each) => isSame(each, position))?.offsetEnd ?? '0',
  }));
}

function isSame(
  left: { readonly topic: string; readonly partition: number },
  right: { readonly topic: string; readonly partition: number },
): boolean {
  return left.topic === right.topic && left.partition === right.partition;
}

function describe(fetched: readonly Fetched[]): string {
  return fetched
    .map(({ topic, partition, records, offsetNext }) =>
      [`${topic}/${partition}`, `${records.length} records`, `next ${offsetNext}`].join(' '),
    )
    .join('; ');
}
