import { type PollCursor, afterPoll, firstPoll, judgeObject } from '../lake/drop.ts';
import type { DroppedObject } from '../lake/dropped-object.ts';
import type { DropFigures } from '../lake/messages.ts';
import { formatInstant } from '../lake/time.ts';
import type { ObjectStore, ObjectSummary } from '../ports.ts';
import { type TakenVersions, noteTaken, readVerdict, takenOf, versionOf } from './drop-index.ts';

/* Looking into the drop folder: which objects are to be taken, and which need a person. */

export type DropFolder = {
  poll(nowMs: number): Promise<Poll>;
  noteTaken(object: { readonly key: string; readonly etag: string }): void;
  figures(): Pick<DropFigures, 'undecided' | 'undecidedCount' | 'unknownKinds' | 'unknownExample'>;
};

export type Poll = {
  /** In the order of their keys. */
  readonly take: readonly DroppedObject[];
  /** Nothing lies behind what was listed. */
  readonly isComplete: boolean;
};

export type FolderOptions = {
  readonly objects: Pick<ObjectStore, 'listObjects' | 'readObject'>;
  readonly dataset: string;
  readonly prefix: string;
  readonly taken: TakenVersions;
  readonly pageKeys?: number;
  /** Told once of each object that is not looked at, or that a person has to decide about. */
  readonly onOdd: (object: ObjectSummary, judgement: 'undecided' | 'unknownKind') => void;
};

const pageKeysByDefault = 1_000;
/** So many open questions are shown, and no more are asked after in one poll. */
const undecidedShown = 20;
const oddKeysMax = 10_000;

export function createDropFolder(options: FolderOptions): DropFolder {
  const { objects, prefix, pageKeys = pageKeysByDefault } = options;
  let cursor: PollCursor = firstPoll;
  const undecided = new Map<string, ObjectSummary>();
  const unknown = new Set<string>();
  const list = (startAfter: string | null): Promise<readonly ObjectSummary[]> =>
    objects.listObjects(prefix, {
      limit: pageKeys,
      ...(startAfter === null ? {} : { startAfter }),
    });
  return {
    poll: async (nowMs) => {
      const behind = await list(cursor.seenTo);
      // The two are one and the same until something was seen.
      const round = cursor.roundAt === cursor.seenTo ? behind : await list(cursor.roundAt);
      const keys = (page: readonly ObjectSummary[]) => page.map(({ key }) => key);
      cursor = afterPoll(cursor, { behind: keys(behind), round: keys(round) }, pageKeys);
      const found = new Map([...behind, ...round].map((object) => [object.key, object]));
      const take: ObjectSummary[] = [];
      for (const object of found.values()) {
        const kind = await judge(options, object);
        if (kind !== 'undecided') undecided.delete(object.key);
        if (kind === 'take') take.push(object);
        if (kind === 'undecided') noteUndecided(options, undecided, object);
        if (kind === 'unknownKind' && !unknown.has(object.key) && unknown.size < oddKeysMax) {
          unknown.add(object.key);
          options.onOdd(object, kind);
        }
      }
      for (const object of await nowDecided(options, undecided, found)) {
        undecided.delete(object.key);
        take.push(object);
      }
      const foundAt = formatInstant(nowMs);
      return {
        take: take.map(({ key, etag, bytes }) => ({ key, etag, bytes, foundAt })).sort(byKey),
        isComplete: behind.length < pageKeys,
      };
    },
    noteTaken: (object) => noteTaken(options.taken, versionOf(object)),
    figures: () => ({
      undecided: [...undecided.values()]
        .slice(0, undecidedShown)
        .map(({ key, etag }) => ({ key, etag })),
      undecidedCount: undecided.size,
      unknownKinds: unknown.size,
      unknownExample: [...unknown][0] ?? null,
    }),
  };
}

async function judge(
  { objects, dataset, taken }: FolderOptions,
  { key, etag }: ObjectSummary,
): Promise<ReturnType<typeof judgeObject>> {
  const version = versionOf({ key, etag });
  const facts = { key, version: version.versionId, taken: takenOf(taken, version) };
  const kind = judgeObject({ ...facts, verdict: null });
  if (kind !== 'undecided') return kind;
  return judgeObject({ ...facts, verdict: await readVerdict(objects, dataset, version) });
}

function noteUndecided(
  { onOdd }: FolderOptions,
  undecided: Map<string, ObjectSummary>,
  object: ObjectSummary,
): void {
  if (undecided.size >= oddKeysMax) return;
  if (undecided.get(object.key)?.etag !== object.etag) onOdd(object, 'undecided');
  undecided.set(object.key, object);
}

/** What a person has decided about since, among what this poll did not list: without waiting for a round. */
async function nowDecided(
  options: FolderOptions,
  undecided: Map<string, ObjectSummary>,
  listed: ReadonlyMap<string, ObjectSummary>,
): Promise<readonly ObjectSummary[]> {
  const others = [...undecided.values()].filter(({ key }) => !listed.has(key));
  const decided: ObjectSummary[] = [];
  for (const object of others.slice(0, undecidedShown)) {
    const kind = await judge(options, object);
    if (kind === 'take') decided.push(object);
    else if (kind !== 'undecided') undecided.delete(object.key);
  }
  return decided;
}

function byKey(left: { readonly key: string }, right: { readonly key: string }): number {
  return left.key < right.key ? -1 : Number(left.key > right.key);
}
