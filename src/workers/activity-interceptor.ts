import { type Context, CancelledFailure } from '@temporalio/activity';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { toApplicationFailure } from '../activities/failures.ts';

/** How often an activity that does not heartbeat by itself is kept alive. */
const heartbeatMs = 10_000;

/**
 * Around every activity: faults become Temporal failures in one place; an AbortError that came from
 * Temporal's own signal becomes the cancellation that it is (the SDK would report it as plainly
 * cancelled, also for pause and reset); and activities whose work runs in the engine's own threads
 * are kept alive.
 */
export function activityInterceptor(options: {
  readonly keepAlive: boolean;
}): ActivityInterceptorsFactory {
  return (context) => ({
    inbound: {
      async execute(input, next) {
        const timer = options.keepAlive
          ? setInterval(() => context.heartbeat(), heartbeatMs)
          : undefined;
        try {
          return await next(input);
        } catch (error) {
          throw asCancellation(context, error) ?? toApplicationFailure(error);
        } finally {
          clearInterval(timer);
        }
      },
    },
  });
}

function asCancellation(context: Context, error: unknown): unknown {
  const { cancellationSignal } = context;
  if (!cancellationSignal.aborted || error instanceof CancelledFailure) return null;
  const isAbort =
    error instanceof Error && (error.name === 'AbortError' || error === cancellationSignal.reason);
  return isAbort && cancellationSignal.reason instanceof CancelledFailure
    ? cancellationSignal.reason
    : null;
}
