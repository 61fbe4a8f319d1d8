import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { cases } from './cases/index.ts';
import { createHarness } from './support/harness.ts';
import { type CaseResult, describeResult, runCase } from './support/run-case.ts';
import type { Harness } from './support/world.ts';

/*
 * One case of each kind, so that every run of the tests kills, freezes and deceives a real process;
 * `npm run test:chaos` runs all of them.
 */

const chosen = ['kill-between-raw-copy-and-parquet', 'freeze-before-plan', 'lost-answer-seal'].map(
  (wanted) => cases.find(({ name }) => name === wanted) ?? assert.fail(`no case ${wanted}`),
);

describe('ingest whose process is stopped', function () {
  // They share two cores with each other and with the servers.
  this.timeout(600_000);
  let harness: Harness;
  let results: readonly CaseResult[] = [];

  before(async () => {
    harness = await createHarness({
      env: process.env,
      seed: 'npm test',
      keep: false,
      realTimeouts: false,
    });
    results = await Promise.all(chosen.map((chaos) => runCase(harness, chaos)));
  });
  after(async () => {
    await harness.remove();
    const isKept = results.some(({ problems }) => problems.length > 0);
    if (!isKept) await rm(harness.folder, { recursive: true, force: true });
  });

  for (const [index, { about }] of chosen.entries()) {
    it(`has every record once all the same: ${about}`, () => {
      const result = results[index] ?? assert.fail('the case did not run');
      assert.deepEqual(result.problems, [], describeResult(result));
      const { records = 0, batches = 0 } = result.figures;
      assert.ok(records > 0 && batches > 0, describeResult(result));
    });
  }
});
