import type { Dataset } from '../../../src/lake/dataset.ts';

/* Code of another release, in as far as a batch can see it: another contract under another hash. */

export const otherContractVariable = 'CHAOS_OTHER_CONTRACT';

/** The other release takes no events from before this instant. */
export const otherTimeMin = '2010-01-01T00:00:00.000Z';

export function otherContract(dataset: Dataset): Partial<Dataset> {
  return {
    contractHash: `other-${dataset.contractHash.slice(6)}`,
    placement: { ...dataset.placement, eventTimeMin: otherTimeMin },
  };
}
