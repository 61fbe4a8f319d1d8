import { setTimeout as delay } from 'node:timers/promises';

export type WaitOptions = {
  readonly limitMs: number;
  readonly everyMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** Ends the wait early: what was waited for can no longer come. */
  readonly isHopeless?: () => boolean;
};

/** Whether `condition` became true within the limit. Throws when the signal aborts. */
export async function waitUntil(
  condition: () => Promise<boolean>,
  options: WaitOptions,
): Promise<boolean> {
  const deadline = performance.now() + options.limitMs;
  for (;;) {
    options.signal?.throwIfAborted();
    if (await condition()) {
      return true;
    }
    if (performance.now() >= deadline || options.isHopeless?.() === true) {
      return false;
    }
    await delay(options.everyMs ?? 100, undefined, { signal: options.signal });
  }
}
