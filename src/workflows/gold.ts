import type { BuildGoldInput } from '../lake/messages.ts';
import type { GoldBuilt } from '../lake/owner-state.ts';
import { setWorkflowOptions } from '@temporalio/workflow';
import { nowMs } from './clock.ts';
import { metadata, transformFor } from './proxies.ts';
import { showBlocked } from './search-attributes.ts';
import { permanentFault, reportTo } from './report.ts';
import { versioned } from './versioning.ts';

/** Builds one window of one gold table: stage, gate, publish, register. Ends by telling the owner. */
export async function buildGoldWindow(input: BuildGoldInput): Promise<GoldBuilt> {
  const startedMs = nowMs();
  const outcome = await build(input);
  const built: GoldBuilt = { ...outcome, durationMs: nowMs() - startedMs };
  await reportTo(input.owner, built);
  return built;
}

async function build(input: BuildGoldInput): Promise<GoldBuilt> {
  const { table, window } = input;
  const [cause, waiver] = [input.cause ?? null, input.waiver ?? null];
  const transform = transformFor(cause);
  const told = { durationMs: 0, reason: null, checks: [], cause } as const;
  const none = { layer: 'gold', table, window, ...told } as const;
  try {
    const { kind, ref, version, rows } = await transform.stageGold(input);
    if (kind === 'unchanged') {
      await metadata.registerWindow(ref);
      return { ...none, outcome: 'unchanged', rows, version };
    }
    const gate = await transform.checkStaged({ ref, version, waiver });
    if (gate.kind === 'blocked') {
      showBlocked();
      const [reason, checks] = [gate.failures.join('; '), gate.failedChecks];
      return { ...none, outcome: 'blocked', rows, version, reason, checks };
    }
    const published = await metadata.publishVersion({ ref, version, gate, cause });
    await metadata.registerWindow(ref);
    if (published.kind === 'superseded') {
      return { ...none, outcome: 'superseded', rows, version: null, reason: published.by };
    }
    return { ...none, outcome: 'published', rows, version };
  } catch (error) {
    return { ...none, outcome: 'failed', rows: 0, version: null, reason: permanentFault(error) };
  }
}

// A build ends within minutes, with the code that it began with.
setWorkflowOptions(versioned('PINNED'), buildGoldWindow);
