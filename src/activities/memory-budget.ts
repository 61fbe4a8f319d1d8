import { type ChunkPool, createChunkPool } from './chunk-pool.ts';

/*
 * What the buffers of all topic partitions of one thread may hold together, in bytes. It is not
 * shared out beforehand: a busy topic partition may use what an idle one does not.
 */

export type BudgetMember = {
  /** Bytes that wait to be committed. */
  readonly buffered: () => number;
  /** Bytes of the batch that is being committed. */
  readonly committing: () => number;
  /** Begins to commit what is buffered, unless a commit is running. */
  readonly begin: () => void;
};

export type MemoryBudget = {
  join(member: BudgetMember): void;
  /**
   * Resolves when there is room for more. Above half of the bound the fullest buffer is committed
   * early; above the bound the caller waits, and so does the fetch that it is called from.
   */
  room(): Promise<void>;
  /** A commit has ended, well or not. */
  freed(): void;
  /** What buffers are made of. */
  readonly chunks: ChunkPool;
};

export function createMemoryBudget(bytesMax: number): MemoryBudget {
  const members: BudgetMember[] = [];
  let waiting: (() => void)[] = [];
  const used = (): number =>
    members.reduce((sum, member) => sum + member.buffered() + member.committing(), 0);
  const room = async (): Promise<void> => {
    while (used() > bytesMax / 2) {
      fullest(members)?.begin();
      // Nothing to wait for: what is held is the first record of an empty buffer.
      if (used() <= bytesMax || !members.some((member) => member.committing() > 0)) return;
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
  };
  return {
    join: (member) => void members.push(member),
    room,
    freed: () => {
      const woken = waiting;
      waiting = [];
      for (const wake of woken) wake();
    },
    chunks: createChunkPool(bytesMax),
  };
}

function fullest(members: readonly BudgetMember[]): BudgetMember | undefined {
  return members
    .filter((member) => member.committing() === 0 && member.buffered() > 0)
    .toSorted((left, right) => right.buffered() - left.buffered())[0];
}
