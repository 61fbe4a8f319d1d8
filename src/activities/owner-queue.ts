import type { QueueWindowsInput, TakeQueuedInput } from '../lake/messages.ts';
import { type PackedOwner } from '../lake/owner-packed.ts';
import { queueKey } from '../lake/owner-paths.ts';
import type { Ports } from '../ports.ts';
import { jsonBytes, readJson } from './json-objects.ts';

/* Windows that the state of the owner has no room for, as objects of the lake. */

export type QueueActivities = {
  /** Written twice is written once. What an owner that was lost had left at the number goes. */
  queueWindows(input: QueueWindowsInput): Promise<void>;
  /** The windows of a number; null when there is no such object. It stays where it is. */
  takeQueued(input: TakeQueuedInput): Promise<PackedOwner | null>;
};

export function createQueueActivities({
  ports: { objects },
}: {
  readonly ports: Pick<Ports, 'objects'>;
}): QueueActivities {
  return {
    async queueWindows({ dataset, number, windows }) {
      await objects.replaceObject(queueKey(dataset, number), jsonBytes(windows));
    },
    async takeQueued({ dataset, number }) {
      return (await readJson<PackedOwner>(objects, queueKey(dataset, number)))?.value ?? null;
    },
  };
}
