import type { WorkflowDefinitionOptions } from '@temporalio/common';
import { workflowInfo } from '@temporalio/workflow';

/**
 * How a workflow moves between versions of the code, given to `setWorkflowOptions`. A worker without
 * versions must not say it: the server takes no answer of it that does.
 */
export function versioned(behavior: 'PINNED' | 'AUTO_UPGRADE'): () => WorkflowDefinitionOptions {
  return () => {
    // A worker without versions has a build id as well, of its own making, but no deployment.
    const deployment = workflowInfo().currentDeploymentVersion?.deploymentName ?? '';
    return deployment === '' ? {} : { versioningBehavior: behavior };
  };
}
