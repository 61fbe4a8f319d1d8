import type { TransformCase } from '../support/transform-case.ts';
import { transformCatalogCases } from './transform-catalog.ts';
import { transformFreezes } from './transform-freeze.ts';
import { transformKills } from './transform-kill.ts';
import { transformRandom } from './transform-random.ts';
import { transformRivals } from './transform-rivals.ts';

export const transformCases: readonly TransformCase[] = [
  ...transformKills,
  ...transformFreezes,
  ...transformRivals,
  ...transformCatalogCases,
  ...transformRandom,
];
