import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { IngotError } from '../errors.ts';

/** A network that lets nothing out answers late or never; a person should not wait for that. */
const reachableLimitMs = 3_000;
const downloadLimitMs = 30 * 60_000;

export type Download = {
  readonly url: string;
  readonly sha256: string;
  readonly file: string;
  readonly signal: AbortSignal | undefined;
};

/** Whether the address answers within three seconds. */
export async function isReachable(url: string): Promise<boolean> {
  return fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(reachableLimitMs) }).then(
    (response) => response.ok,
    () => false,
  );
}

/** Downloads one file and refuses it when its checksum is not the pinned one. */
export async function downloadArchive({ url, sha256, file, signal }: Download): Promise<void> {
  const limit = AbortSignal.timeout(downloadLimitMs);
  const response = await fetch(url, {
    signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
  });
  if (!response.ok || response.body === null) {
    throw new IngotError('PREREQUISITE_MISSING', 'a download was refused', {
      retryable: true,
      facts: { url, status: response.status },
    });
  }
  const hash = createHash('sha256');
  const hashing = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      hash.update(chunk);
      next(undefined, chunk);
    },
  });
  await pipeline(Readable.fromWeb(response.body), hashing, createWriteStream(file));
  const found = hash.digest('hex');
  if (found !== sha256) {
    throw new IngotError('PREREQUISITE_MISSING', 'a download is not the file that was expected', {
      retryable: false,
      facts: { url, expected: sha256, found },
    });
  }
}
