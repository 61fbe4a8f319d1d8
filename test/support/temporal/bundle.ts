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

/** `instead` names files, by the request that asks for them, and what is taken in their place. */
export function bundle(
  path: string,
  instead: Readonly<Record<string, string>> = {},
): Promise<WorkflowBundleWithSourceMap> {
  return bundleWorkflowCode({
    workflowsPath: path,
    logger: quiet,
    webpackConfigHook: (config) => {
      const alias = { ...config.resolve?.alias, ...instead };
      return { ...config, resolve: { ...config.resolve, alias } };
    },
  });
}

let shipped: Promise<WorkflowBundleWithSourceMap> | undefined;

/** The very bundle that ships, built once for all test files of a run. */
export function shippedBundle(): Promise<WorkflowBundleWithSourceMap> {
  shipped ??= bundle(workflowsPath);
  return shipped;
}
