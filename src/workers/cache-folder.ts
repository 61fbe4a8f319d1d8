import { join } from 'node:path';
import type { Config } from '../config.ts';

/** Caches of one lake only: another lake may have other objects under the same keys. */
export function cacheFolder(config: Config): string {
  return join(config.INGOT_CACHE_DIR, 'lakes', config.lakeBucket);
}
