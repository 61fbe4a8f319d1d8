import { type Context, CancelledFailure } from '@temporalio/activity';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { toApplicationFailure } from '../activities/failures.ts';

/** How often an activity that does not heartbeat by itself is kept alive, at the least. */
const heartbeatMsMax = 10_000;
/** And several times within the time after which Temporal gives it up. */
const heartbeatsInTimeout = 4;
/** How deep an error is looked into. */
const causesMax = 10;

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
          ? setInterval(() => context.heartbeat(), heartbeatEveryMs(context))
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

function heartbeatEveryMs({ info }: Context): number {
  return Math.min(heartbeatMsMax, (info.heartbeatTimeoutMs ?? Infinity) / heartbeatsInTimeout);
}

/**
 * The cancellation behind an error, also where a library or a fault of ours is wrapped around the
 * AbortError; `null` for an error that only happened at the same time.
 */
function asCancellation({ cancellationSignal }: Context, error: unknown): CancelledFailure | null {
  const { aborted, reason } = cancellationSignal as { aborted: boolean; reason: unknown };
  if (!aborted || !(reason instanceof CancelledFailure)) return null;
  return causesOf(error).some(({ name }) => name === 'AbortError' || name === reason.name)
    ? reason
    : null;
}

function causesOf(error: unknown): readonly Error[] {
  const causes: Error[] = [];
  for (let each = error; each instanceof Error && causes.length < causesMax; each = each.cause) {
    causes.push(each);
  }
  return causes;
}
