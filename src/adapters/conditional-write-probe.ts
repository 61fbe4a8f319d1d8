import { IngotError, type ErrorFacts } from '../errors.ts';
import type { ObjectStore } from '../ports.ts';

const rounds = 3;
const contenders = 8;

/**
 * Shows that the store decides between simultaneous writers, on which every commit of Ingot
 * rests: of several creates of one key, and of several swaps with one etag, exactly one may win,
 * and its bytes must be what lies there. Throws `STORE_NOT_CONDITIONAL` with what was seen.
 *
 * `probeId` is random and the caller's. The objects lie under `_probe/<probeId>/` and are removed.
 */
export async function probeConditionalWrites(store: ObjectStore, probeId: string): Promise<void> {
  const keys = Array.from({ length: rounds }, (_, round) => `_probe/${probeId}/${round}`);
  try {
    // The rounds run side by side, as a worker waits for them when it starts.
    await Promise.all(keys.map((key) => probeKey(store, key)));
  } finally {
    await store.deleteObjects(keys);
  }
}

async function probeKey(store: ObjectStore, key: string): Promise<void> {
  const creates = await contend('create', (bytes) => store.createObject(key, bytes));
  const created = await store.readObject(key);
  verify({
    operation: 'createObject',
    key,
    won: winners(creates, 'created'),
    found: created?.bytes,
  });

  const etag = created?.etag ?? null;
  const swaps = await contend('swap', (bytes) => store.swapObject(key, bytes, etag));
  const swapped = await store.readObject(key);
  verify({ operation: 'swapObject', key, won: winners(swaps, 'swapped'), found: swapped?.bytes });
}

type Attempt = { readonly text: string; readonly kind: string };

/** Each contender writes other bytes: equal ones would have one etag, and could all match it. */
async function contend(
  verb: string,
  write: (bytes: Uint8Array) => Promise<{ readonly kind: string }>,
): Promise<readonly Attempt[]> {
  const texts = Array.from({ length: contenders }, (_, contender) => `${verb} ${contender}`);
  return Promise.all(
    texts.map(async (text) => ({ text, kind: (await write(Buffer.from(text))).kind })),
  );
}

function winners(attempts: readonly Attempt[], kind: string): readonly string[] {
  return attempts.filter((attempt) => attempt.kind === kind).map((attempt) => attempt.text);
}

type Seen = {
  readonly operation: 'createObject' | 'swapObject';
  readonly key: string;
  readonly won: readonly string[];
  readonly found: Uint8Array | undefined;
};

function verify({ operation, key, won, found }: Seen): void {
  const text = found === undefined ? '' : Buffer.from(found).toString();
  // Nobody won, and yet one contender's bytes are there: its answer was lost, and the repetition
  // met its own write. That is the protocol at work and says nothing against the store.
  const answerLost =
    won.length === 0 && text.startsWith(operation === 'createObject' ? 'create' : 'swap');
  if (answerLost || (won.length === 1 && won[0] === text)) return;
  const facts: ErrorFacts = { operation, key, writers: contenders, won: won.length, found: text };
  throw new IngotError(
    'STORE_NOT_CONDITIONAL',
    'the object store does not decide between simultaneous writers, so commits could overwrite each other',
    { retryable: false, facts },
  );
}
