import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { taskQueues } from '../../src/lake/messages.ts';
import { historiesFolder, recordingVariable } from '../support/temporal/recording.ts';
import { type StubLakeOptions, stubLake } from '../support/temporal/stub-lake.ts';
import { type WorkflowBed, openWorkflowBed } from '../support/temporal/workflow-bed.ts';

/*
 * `npm run record-histories`: makes the histories under test/replay/histories anew, with the workflow
 * code of now. The owner's come from the workflow tests, which record as they go; the others from
 * the scenarios below.
 */

const hour = '2026-08-21T13';
const day = '2026-08-21';

const blocked: StubLakeOptions = {
  checkStaged: async () => ({
    kind: 'blocked',
    score: 85.7,
    failures: ['silver_duplicates (2 rows)'],
    warnings: [],
    failedChecks: ['silver_duplicates'],
    waived: null,
  }),
};
const superseded: StubLakeOptions = {
  publishVersion: async () => ({ kind: 'superseded', by: '000002-other' }),
};
const permanent = (): never => {
  throw ApplicationFailure.create({ message: 'no', type: 'SQL_FAILED', nonRetryable: true });
};
const failed: StubLakeOptions = { stageSilver: permanent, stageGold: permanent };
const unchanged: StubLakeOptions = {
  stageSilver: async ({ dataset, window }) => ({
    kind: 'unchanged',
    ref: { dataset, layer: 'silver', table: 'silver', window },
    version: '000001-same',
    rows: 1,
    through: { 't-0': 3 },
  }),
  stageGold: async ({ dataset, table, window }) => ({
    kind: 'unchanged',
    ref: { dataset, layer: 'gold', table, window },
    version: '000001-same',
    rows: 1,
    through: {},
  }),
};
const endings: Readonly<Record<string, StubLakeOptions>> = {
  published: {},
  unchanged,
  blocked,
  superseded,
  failed,
};

async function recordBuilds(bed: WorkflowBed): Promise<void> {
  for (const [ending, options] of Object.entries(endings)) {
    const dataset = bed.dataset(stubLake(options));
    const owner = `no-owner/${dataset}`;
    const pending = { 't-0': { first: 0, through: 3 } };
    const silver = await start(bed.client, 'buildSilverWindow', `silver/${dataset}/${hour}`, {
      ...{ dataset, window: hour, mode: 'seal', pending, owner },
    });
    await silver.result();
    await bed.record(ending, silver);
    const gold = await start(bed.client, 'buildGoldWindow', `gold/${dataset}/${day}`, {
      ...{ dataset, table: 'top_products', window: day, complete: true, owner },
    });
    await gold.result();
    await bed.record(ending, gold);
  }
}

async function recordLane(bed: WorkflowBed): Promise<void> {
  let slices = 0;
  const lake = stubLake({
    ingest: async () => {
      slices += 1;
      const log = { log: 't-0', number: slices, offsetNext: String(slices * 10) };
      const figures = { batches: 1, records: 10, rows: 9, deadLetters: 1, stopped: null };
      return {
        ended: slices === 3 ? 'draining' : 'slice',
        revision: 0,
        logs: [{ ...log, ...figures, frontier: `${hour}:00:00.000Z` }],
      };
    },
  });
  const dataset = bed.dataset(lake);
  const lane = await start(bed.client, 'ingestLane', `ingest/${dataset}/lane-0`, {
    ...{ dataset, lane: 'lane-0' },
  });
  await lake.called('ingest', 5);
  await bed.record('slices', lane);
  await lane.terminate('recorded');
}

async function recordHour(bed: WorkflowBed): Promise<void> {
  const dataset = bed.dataset(stubLake({ settings: { goldRefresh: 'schedule' } }));
  const owner = await start(bed.client, 'lakehouse', `lakehouse/${dataset}`, { dataset });
  const due = await start(bed.client, 'goldHourly', `gold-hourly/${dataset}`, { dataset });
  await due.result();
  await bed.record('told', due);
  await owner.terminate('recorded');
}

function start(
  client: Client,
  type: string,
  workflowId: string,
  input: object,
): Promise<WorkflowHandle> {
  return client.workflow.start(type, {
    workflowId,
    taskQueue: taskQueues.workflows,
    args: [input],
  });
}

process.env[recordingVariable] = 'yes';
rmSync(fileURLToPath(historiesFolder), { recursive: true, force: true });
const bed = await openWorkflowBed({ name: 'recording', maxCachedWorkflows: 200 });
try {
  await recordBuilds(bed);
  await recordLane(bed);
  await recordHour(bed);
} finally {
  await bed.close();
}
const { status } = spawnSync(
  process.execPath,
  ['node_modules/mocha/bin/mocha.js', 'test/workflows/*.test.ts'],
  { stdio: 'inherit', env: process.env },
);
process.exitCode = status ?? 1;
