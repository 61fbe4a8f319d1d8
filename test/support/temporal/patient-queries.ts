import {
  ServiceError,
  type WorkflowClientInterceptor,
  isGrpcServiceError,
} from '@temporalio/client';

const attemptsMax = 6;
/** DEADLINE_EXCEEDED of gRPC. */
const deadlineExceeded = 4;

/**
 * The server gives a query up after ten seconds. A worker that replays a whole history for each answer
 * takes longer than that on a machine that is busy with other things: then it is asked again.
 */
export const patientQueries: WorkflowClientInterceptor = {
  query: async (input, next) => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await next(input);
      } catch (error) {
        if (attempt === attemptsMax || !isLate(error)) throw error;
      }
    }
  },
};

function isLate(error: unknown): boolean {
  const cause = error instanceof ServiceError ? error.cause : null;
  return isGrpcServiceError(cause) && Number(cause.code) === deadlineExceeded;
}
