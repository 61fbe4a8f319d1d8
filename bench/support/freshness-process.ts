import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../../src/config.ts';
import type { Marker } from './freshness-markers.ts';

/* The producer of a run is a process of its own, so that its work is not the reader's. */

export type ProducerSpec = {
  readonly topic: string;
  readonly partitions: number;
  /** Events a second; `null`: as fast as the broker takes them. */
  readonly rate: number | null;
  /** `null`: until it is stopped, each with the time at which it is sent. */
  readonly count: number | null;
  /** Event times of so many are spread evenly from here to now. */
  readonly fromMs: number;
  /** No two events of a run have the same number. */
  readonly firstSerial: number;
  readonly markersPerSecond: number;
};

/** A batch that the broker has confirmed. */
export type Produced = { readonly sent: number; readonly markers: readonly Marker[] };

export type ProducerProcess = {
  /** Resolves when the process has ended; throws when it ended badly. */
  readonly ended: Promise<void>;
  readonly stop: () => Promise<void>;
};

export function startProducer(
  spec: ProducerSpec,
  env: Environment,
  onProduced: (produced: Produced) => void,
): ProducerProcess {
  const path = fileURLToPath(new URL('freshness-producer.ts', import.meta.url));
  const args = ['--import', 'tsx', path, JSON.stringify(spec)];
  const child = spawn(process.execPath, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
  createInterface({ input: child.stdout }).on('line', (line) =>
    onProduced(JSON.parse(line) as Produced),
  );
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`the producer ended with ${String(code)}`)),
    );
  });
  // Whoever waits for it hears of it; until then it must not end the run as unhandled.
  ended.catch(() => undefined);
  return {
    ended,
    stop: async () => {
      child.stdin.end();
      await ended;
    },
  };
}
