import { type WorkflowBundleWithSourceMap, bundleWorkflowCode } from '@temporalio/worker';
import { workflowsPath } from '../../../src/workers/workflows-path.ts';

/** The bundler reports what nobody asked for; its errors are thrown anyway. */
export const quiet = {
  log: () => undefined,
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

export function bundle(path: string): Promise<WorkflowBundleWithSourceMap> {
  return bundleWorkflowCode({ workflowsPath: path, logger: quiet });
}

let shipped: Promise<WorkflowBundleWithSourceMap> | undefined;

/** The very bundle that ships, built once for all test files of a run. */
export function shippedBundle(): Promise<WorkflowBundleWithSourceMap> {
  shipped ??= bundle(workflowsPath);
  return shipped;
}
