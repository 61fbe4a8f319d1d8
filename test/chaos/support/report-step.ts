import {
  type Sinks,
  type WorkflowInterceptorsFactory,
  proxySinks,
  workflowInfo,
} from '@temporalio/workflow';

/* The report of a build is a command of its workflow: a worker that wants to stop before it is told here. */

export interface ReportSinks extends Sinks {
  readonly chaos: { readonly report: (call: { readonly from: string }) => void };
}

const { chaos } = proxySinks<ReportSinks>();

export const interceptors: WorkflowInterceptorsFactory = () => ({
  outbound: [
    {
      signalWorkflow: (input, next) => {
        if (input.signalName === 'windowBuilt') chaos.report({ from: workflowInfo().workflowId });
        return next(input);
      },
    },
  ],
});
