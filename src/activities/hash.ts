import { createHash } from 'node:crypto';

/** SHA-256 in hex: of entries, seals, records and fingerprints. */
export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
