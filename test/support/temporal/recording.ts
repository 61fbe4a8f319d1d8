import type { WorkflowHandle } from '@temporalio/client';

export type Recorded = {
  readonly scenario: string;
  readonly handle: WorkflowHandle;
  readonly namespace: string;
};

export async function recordHistory(_recorded: Recorded): Promise<void> {}
