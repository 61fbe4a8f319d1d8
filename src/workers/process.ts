import { DefaultLogger, type LogLevel, Runtime } from '@temporalio/worker';
import type { Config } from '../config.ts';
import type { Logger } from '../ports.ts';
import type { WorkerKind } from '../stack/worker-processes.ts';
import { createLogger } from './logger.ts';
import { preflights, requirePreflights } from './preflight.ts';
import type { RunningWorker } from './running-worker.ts';

export type ProcessOptions = {
  readonly kind: WorkerKind;
  readonly config: Config;
  /** Aborted by SIGTERM or Ctrl-C. */
  readonly signal: AbortSignal;
  readonly onReady: () => void;
};

/** Runs one worker process until its signal; answers when everything in flight has ended well. */
export async function runWorkerProcess(options: ProcessOptions): Promise<void> {
  const { kind, config, signal, onReady } = options;
  const logger = createLogger(config, `${kind}-worker`);
  installRuntime(logger);
  // Ingest has no right to the catalog, and no need of it.
  await requirePreflights(preflights(config, logger, { catalog: kind === 'transform' }));
  const running = await startWorker(kind, config, logger);
  const stop = (): void => {
    logger.info({}, 'draining');
    running.drain();
    for (const worker of running.workers) worker.shutdown();
  };
  const runs = running.workers.map((worker) => worker.run());
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  onReady();
  logger.info({ namespace: config.temporalNamespace, bucket: config.lakeBucket }, 'ready');
  try {
    await Promise.all(runs);
  } finally {
    signal.removeEventListener('abort', stop);
    for (const worker of running.workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    await Promise.allSettled(runs);
    await running.close();
    logger.info({}, 'stopped');
  }
}

/** Loads nothing of the other kind: ingest may run where the engine of the transforms does not. */
async function startWorker(
  kind: WorkerKind,
  config: Config,
  logger: Logger,
): Promise<RunningWorker> {
  switch (kind) {
    case 'ingest': {
      const { startIngestWorker } = await import('./ingest-worker.ts');
      return startIngestWorker(config, logger);
    }
    case 'transform': {
      const { startTransformWorker } = await import('./transform-worker.ts');
      return startTransformWorker(config, logger);
    }
  }
}

/** Signals are ours to handle: the SDK would shut down without letting ingest flush first. */
function installRuntime(logger: Logger): void {
  const forward = new DefaultLogger('WARN', ({ level, message, meta }) => {
    // A worker for activities alone is what was asked for.
    if (message.startsWith('No workflows registered')) return;
    // An Error is an object without enumerable facts: its message is what helps.
    const error = meta?.['error'] instanceof Error ? { error: meta['error'].message } : {};
    logger[severity(level)]({ ...meta, ...error, source: 'temporal' }, message);
  });
  Runtime.install({ shutdownSignals: [], logger: forward });
}

function severity(level: LogLevel): 'debug' | 'info' | 'warn' | 'error' {
  if (level === 'ERROR') return 'error';
  if (level === 'WARN') return 'warn';
  return level === 'INFO' ? 'info' : 'debug';
}
