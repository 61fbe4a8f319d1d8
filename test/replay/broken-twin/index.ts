import type { BuildSilverInput } from '../../../src/lake/messages.ts';
import type { SilverBuilt } from '../../../src/lake/owner-state.ts';
import { metadata } from '../../../src/workflows/proxies.ts';
import { buildSilverWindow as intact } from '../../../src/workflows/silver.ts';

/**
 * A change that nobody may ship: one more activity at the beginning, without `patched()`. A replay
 * of a committed history must fail on it, or the replay tests prove nothing.
 */
export async function buildSilverWindow(input: BuildSilverInput): Promise<SilverBuilt> {
  await metadata.describeLakehouse({ dataset: input.dataset, isNew: false });
  return intact(input);
}
