import { randomInt } from 'node:crypto';
import { isPortFree } from './ports.ts';

/** Below the ports that systems hand out to connections, so that none of those takes one later. */
const firstPort = 15_000;
const lastPort = 32_000;
const triesMax = 1_000;

/** Different ports of 127.0.0.1 that nothing listens on now. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const found = new Set<number>();
  for (let tries = 0; found.size < count && tries < triesMax; tries += 1) {
    const port = randomInt(firstPort, lastPort);
    if (!found.has(port) && (await isPortFree(port))) {
      found.add(port);
    }
  }
  return [...found];
}
