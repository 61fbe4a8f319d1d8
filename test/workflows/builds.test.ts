import assert from 'node:assert/strict';
import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import {
  type GateResult,
  type StageResult,
  goldBuildId,
  silverBuildId,
  taskQueues,
} from '../../src/lake/messages.ts';
import { type StubLake, type StubLakeOptions, stubLake } from '../support/temporal/stub-lake.ts';
import { closedGate, firstHour, log } from '../support/temporal/test-owner.ts';
import { type WorkflowBed, describeScenarios } from '../support/temporal/workflow-bed.ts';

const version = '000001-stub';
const blocked: GateResult = {
  kind: 'blocked',
  score: 50,
  failures: ['keys: 2 rows without a user', 'totals: do not add up'],
  warnings: [],
  failedChecks: ['keys', 'totals'],
  waived: null,
};

type Case = {
  readonly outcome: string;
  readonly lake: StubLakeOptions;
  readonly steps: readonly string[];
  /** How the result differs from that of a plain publication. */
  readonly result: object;
};

const unchanged = async ({ dataset }: { readonly dataset: string }): Promise<StageResult> => {
  const ref = { dataset, layer: 'silver', table: 'silver', window: firstHour } as const;
  return { kind: 'unchanged', ref, version, rows: 7, through: { [log]: 4 } };
};
const fault = async (): Promise<never> => {
  throw ApplicationFailure.nonRetryable('rows are missing [window=x]', 'ACCOUNTING_BROKEN');
};

/** `stage` stands for the stage activity of the layer. */
const cases: readonly Case[] = [
  {
    outcome: 'published',
    lake: {},
    steps: ['stage', 'checkStaged', 'publishVersion', 'registerWindow'],
    result: {},
  },
  {
    outcome: 'unchanged',
    lake: { stageSilver: unchanged, stageGold: unchanged },
    steps: ['stage', 'registerWindow'],
    result: { rows: 7 },
  },
  {
    outcome: 'blocked',
    lake: { checkStaged: async () => blocked },
    steps: ['stage', 'checkStaged'],
    result: {
      through: {},
      reason: 'keys: 2 rows without a user; totals: do not add up',
      checks: ['keys', 'totals'],
    },
  },
  {
    outcome: 'superseded',
    lake: { publishVersion: async () => ({ kind: 'superseded', by: '000002-else' }) },
    steps: ['stage', 'checkStaged', 'publishVersion', 'registerWindow'],
    result: { through: {}, version: null, reason: '000002-else' },
  },
  {
    outcome: 'failed',
    lake: { stageSilver: fault, stageGold: fault },
    steps: ['stage'],
    result: {
      through: {},
      rows: 0,
      version: null,
      reason: 'ACCOUNTING_BROKEN: rows are missing [window=x]',
    },
  },
];

type Layer = 'silver' | 'gold';

/** A build whose owner does not run: what it reports reaches nobody. */
async function startBuild(bed: WorkflowBed, layer: Layer, lake: StubLake): Promise<WorkflowHandle> {
  const dataset = bed.dataset(lake);
  const table = `${dataset}_sales`;
  const window = firstHour;
  const pending = { [log]: { first: 0, through: 4 } };
  const common = { dataset, window, owner: 'lakehouse/nobody' };
  const taskQueue = taskQueues.workflows;
  return layer === 'silver'
    ? bed.client.workflow.start('buildSilverWindow', {
        workflowId: silverBuildId(dataset, window),
        taskQueue,
        args: [{ ...common, mode: 'fold', pending }],
      })
    : bed.client.workflow.start('buildGoldWindow', {
        workflowId: goldBuildId(table, window),
        taskQueue,
        args: [{ ...common, table, complete: true }],
      });
}

const stages = { silver: 'stageSilver', gold: 'stageGold' } as const;

describeScenarios('builds', (scenario) => {
  for (const layer of ['silver', 'gold'] as const) {
    const workflow = `build${layer === 'silver' ? 'Silver' : 'Gold'}Window`;
    for (const { outcome, lake: options, steps, result } of cases) {
      scenario(`${workflow} ends as ${outcome}, also where no owner hears of it`, async (bed) => {
        const lake = stubLake(options);
        const handle = await startBuild(bed, layer, lake);
        const { durationMs, table, through, ...rest } = (await handle.result()) as Record<
          string,
          unknown
        >;

        assert.ok(Number.isSafeInteger(durationMs));
        const none = { reason: null, checks: [], cause: null };
        const wanted = { outcome, rows: 1, version, ...none, ...result };
        const { through: wantedThrough = { [log]: 4 }, ...wantedRest } = wanted as {
          through?: object;
        };
        if (layer === 'silver') {
          assert.deepEqual(rest, { layer, window: firstHour, mode: 'fold', ...wantedRest });
          assert.deepEqual(through, wantedThrough);
        } else {
          assert.deepEqual(rest, { layer, window: firstHour, ...wantedRest });
          assert.match(String(table), /_sales$/);
        }
        assert.deepEqual(
          lake.steps(),
          steps.map((step) => (step === 'stage' ? stages[layer] : step)),
        );
        assert.match(
          bed.warnings(lake.calls(stages[layer])[0]!.dataset)[0]!.message,
          /not reached/,
        );
        await bed.record(outcome, handle);
      });
    }

    scenario(`${workflow} does a step again that met a passing fault`, async (bed) => {
      let attempts = 0;
      const lake = stubLake({
        checkStaged: async () => {
          attempts += 1;
          if (attempts === 1) throw ApplicationFailure.retryable('no answer', 'PART_UNREACHABLE');
          return {
            kind: 'passed',
            score: 100,
            failures: [],
            warnings: [],
            failedChecks: [],
            waived: null,
          };
        },
      });
      const handle = await startBuild(bed, layer, lake);

      assert.equal(((await handle.result()) as { outcome: string }).outcome, 'published');
      assert.deepEqual(lake.steps(), [
        stages[layer],
        'checkStaged',
        'checkStaged',
        'publishVersion',
        'registerWindow',
      ]);
    });

    scenario(
      `${workflow} waits a minute at most for a process that died, in any step`,
      async (bed) => {
        const handle = await startBuild(bed, layer, stubLake({}));
        await handle.result();

        const { events } = await handle.fetchHistory();
        const waits = (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: step }) =>
          step == null
            ? []
            : [`${step.activityType?.name} ${String(step.heartbeatTimeout?.seconds)}`],
        );
        assert.deepEqual(
          waits,
          [stages[layer], 'checkStaged', 'publishVersion', 'registerWindow'].map((s) => `${s} 60`),
        );
      },
    );

    scenario(`${workflow} ends as cancelled when it is cancelled`, async (bed) => {
      const gate = closedGate();
      const lake = stubLake({
        publishVersion: async () => {
          await gate.opened;
          return { kind: 'published' };
        },
      });
      const handle = await startBuild(bed, layer, lake);

      await lake.called('publishVersion', 1);
      await handle.cancel();
      gate.open();
      await assert.rejects(
        handle.result(),
        (error: unknown) =>
          error instanceof WorkflowFailedError && error.cause instanceof CancelledFailure,
      );
      await bed.record('cancelled', handle);
    });
  }
});
