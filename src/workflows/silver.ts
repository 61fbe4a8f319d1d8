import type { BuildSilverInput, PublishResult, StageResult } from '../lake/messages.ts';
import type { SilverBuilt } from '../lake/owner-state.ts';
import { setWorkflowOptions } from '@temporalio/workflow';
import { nowMs } from './clock.ts';
import { metadata, transformFor } from './proxies.ts';
import { showBlocked } from './search-attributes.ts';
import { permanentFault, reportTo } from './report.ts';
import { versioned } from './versioning.ts';

/**
 * Builds one hour of silver: stage, gate, publish, register. Every step may run twice; readers see
 * the version before until the pointer moves. Ends by telling the owner.
 */
export async function buildSilverWindow(input: BuildSilverInput): Promise<SilverBuilt> {
  const startedMs = nowMs();
  const outcome = await build(input);
  const built: SilverBuilt = { ...outcome, durationMs: nowMs() - startedMs };
  await reportTo(input.owner, built);
  return built;
}

async function build(input: BuildSilverInput): Promise<SilverBuilt> {
  const { window, mode } = input;
  const [cause, waiver] = [input.cause ?? null, input.waiver ?? null];
  const transform = transformFor(cause);
  const told = { durationMs: 0, reason: null, checks: [], cause } as const;
  const none = { layer: 'silver', window, mode, ...told } as const;
  try {
    const staged = await transform.stageSilver(input);
    const { ref, version, rows, through } = staged;
    if (staged.kind === 'unchanged') {
      await metadata.registerWindow(ref);
      return { ...none, outcome: 'unchanged', through, rows, version };
    }
    const gate = await transform.checkStaged({ ref, version, waiver });
    if (gate.kind === 'blocked') {
      showBlocked();
      const [reason, checks] = [gate.failures.join('; '), gate.failedChecks];
      return { ...none, outcome: 'blocked', through: {}, rows, version, reason, checks };
    }
    const published = await metadata.publishVersion({ ref, version, gate, cause });
    await metadata.registerWindow(ref);
    return settle(none, staged, published);
  } catch (error) {
    const reason = permanentFault(error);
    return { ...none, outcome: 'failed', through: {}, rows: 0, version: null, reason };
  }
}

function settle(
  none: Omit<SilverBuilt, 'outcome' | 'through' | 'rows' | 'version'>,
  { version, rows, through }: StageResult,
  published: PublishResult,
): SilverBuilt {
  if (published.kind === 'superseded') {
    return {
      ...none,
      outcome: 'superseded',
      through: {},
      rows,
      version: null,
      reason: published.by,
    };
  }
  return { ...none, outcome: 'published', through, rows, version };
}

// A build ends within minutes, with the code that it began with.
setWorkflowOptions(versioned('PINNED'), buildSilverWindow);
