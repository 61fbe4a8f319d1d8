import { waitUntil } from '../../../src/stack/wait-until.ts';

/** What a probe finds as soon as it finds something; an error that names what was waited for. */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  { limitMs = 60_000, everyMs = 10 }: { readonly limitMs?: number; readonly everyMs?: number } = {},
): Promise<T> {
  let found: T | undefined | false;
  const isFound = async (): Promise<boolean> => {
    found = await probe();
    return found !== undefined && found !== false;
  };
  if (await waitUntil(isFound, { limitMs, everyMs })) return found as T;
  throw new Error(`waited ${limitMs / 1_000} s in vain for ${what}`);
}
