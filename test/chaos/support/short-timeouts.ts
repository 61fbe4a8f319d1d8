import type { WorkflowInterceptorsFactory } from '@temporalio/workflow';

/*
 * Temporal gives an activity up sooner, and tries again sooner, than the product asks it to: a test
 * waits for it dozens of times. Laid around the shipped workflows as an interceptor, so that they stay
 * as they are.
 */

const heartbeatTimeoutMs = { ingest: 8_000, others: 5_000 } as const;
const retryEveryMsMax = 1_000;

export const interceptors: WorkflowInterceptorsFactory = () => ({
  outbound: [
    {
      scheduleActivity: (input, next) => {
        const { options } = input;
        if (options.heartbeatTimeout === undefined) return next(input);
        const retry = { ...options.retry, maximumInterval: retryEveryMsMax };
        const isIngest = options.taskQueue === 'ingot-ingest';
        const heartbeatTimeout = heartbeatTimeoutMs[isIngest ? 'ingest' : 'others'];
        return next({ ...input, options: { ...options, retry, heartbeatTimeout } });
      },
    },
  ],
});
