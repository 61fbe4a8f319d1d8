import assert from 'node:assert/strict';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import type { GateResult } from '../../src/lake/messages.ts';
import { type StubLake, stubLake } from '../support/temporal/stub-lake.ts';
import { afterwards, firstHour, log, startOwner } from '../support/temporal/test-owner.ts';
import { describeScenarios } from '../support/temporal/workflow-bed.ts';

const passed: GateResult = {
  kind: 'passed',
  score: 100,
  failures: [],
  warnings: [],
  failedChecks: [],
  waived: null,
};

/** A lake whose first hour has failing checks; what is waived passes. */
function strictLake(failing: () => readonly string[]): StubLake {
  return stubLake({
    windows: [firstHour],
    checkStaged: async ({ waiver }) => {
      const failedChecks = failing();
      const failures = failedChecks.filter((check) => waiver?.checks.includes(check) !== true);
      if (failures.length > 0) return { ...passed, kind: 'blocked', failures, failedChecks };
      return { ...passed, failedChecks, waived: failedChecks.length > 0 ? (waiver ?? null) : null };
    },
  });
}

const request = { window: firstHour, author: 'ops', reason: 'seen and known' } as const;

describeScenarios('lakehouse-gates', (scenario) => {
  scenario('publishes a waived window, and says in its version who waived what', async (bed) => {
    const lake = strictLake(() => ['totals']);
    const dataset = bed.dataset(lake);
    const owner = await startOwner(bed, dataset);
    await owner.advance(0, afterwards);
    await owner.until('the park', ({ silver }) => silver[firstHour]?.parked != null);
    const build = bed.client.workflow.getHandle(`silver/${dataset}/${firstHour}`);
    const { searchAttributes } = await build.describe();
    assert.deepEqual(searchAttributes['IngotGate'], ['blocked']);

    await owner.handle.signal('renew');
    await lake.called('describeLakehouse', 2);
    await owner.handle.executeUpdate('resolveGate', { args: [{ ...request, decision: 'waive' }] });
    await owner.until('the version', ({ counters }) => counters.silverBuilt === 1);

    const [published] = lake.calls('publishVersion');
    assert.equal(published?.gate.waived?.author, 'ops');
    assert.deepEqual(published.gate.waived.checks, ['totals']);
    assert.equal(published.cause?.kind, 'gate');
    const kept = lake.calls('keepEvents').flatMap(({ note }) => note.events);
    assert.deepEqual(
      kept.map(({ kind }) => kind),
      ['gateParked', 'gateResolved'],
    );
    await bed.record('waived-gate', owner.handle);
  });

  scenario('parks a waived window again on a check that had not failed before', async (bed) => {
    let failing: readonly string[] = ['totals'];
    const lake = strictLake(() => failing);
    const owner = await startOwner(bed, bed.dataset(lake));
    await owner.advance(0, afterwards);
    await owner.until('the park', ({ silver }) => silver[firstHour]?.parked != null);

    failing = ['totals', 'nulls'];
    await owner.handle.executeUpdate('resolveGate', { args: [{ ...request, decision: 'waive' }] });
    const again = await owner.until(
      'the second park',
      ({ counters }) => counters.gatesBlocked === 2,
    );
    assert.equal(again.silver[firstHour]?.parked?.reason, 'nulls');

    failing = [];
    await owner.handle.executeUpdate('resolveGate', { args: [{ ...request, decision: 'retry' }] });
    await owner.until('the version', ({ counters }) => counters.silverBuilt === 1);
    assert.equal(lake.calls('publishVersion')[0]?.gate.waived, null);
    await bed.record('retried-gate', owner.handle);
  });

  scenario('leaves an abandoned window alone until new rows come for it', async (bed) => {
    let failing: readonly string[] = ['totals'];
    const lake = strictLake(() => failing);
    const owner = await startOwner(bed, bed.dataset(lake));
    await owner.advance(0, afterwards);
    await owner.until('the park', ({ silver }) => silver[firstHour]?.parked != null);

    await owner.handle.executeUpdate('resolveGate', {
      args: [{ ...request, decision: 'abandon' }],
    });
    await owner.until('the decision', ({ silver }) => silver[firstHour]?.abandoned === true);
    assert.equal(lake.calls('stageSilver').length, 1);

    failing = [];
    await owner.advance(1, afterwards);
    await owner.until('the version', ({ counters }) => counters.silverBuilt === 1);
    assert.deepEqual(lake.calls('stageSilver').at(-1)?.pending, {
      [log]: { first: 0, through: 1 },
    });
    await bed.record('abandoned-gate', owner.handle);
  });

  scenario('refuses decisions that make no sense, with the reason and no trace', async (bed) => {
    const owner = await startOwner(bed, bed.dataset(strictLake(() => ['totals'])));
    await owner.advance(0, afterwards);
    await owner.until('the park', ({ silver }) => silver[firstHour]?.parked != null);
    const cases: readonly (readonly [unknown, RegExp])[] = [
      [undefined, /the request is not an object/],
      [{ ...request, decision: 'ignore' }, /not one of retry, waive, abandon: ignore/],
      [{ ...request, decision: 'waive', reason: '' }, /to waive a gate needs a reason/],
      [{ ...request, decision: 'retry', window: 'noon' }, /not a window: noon/],
      [{ ...request, decision: 'retry', window: '2020-01-01T00' }, /nothing is known of/],
      [{ ...request, decision: 'retry', author: 5 }, /not a text: 5/],
      [{ ...request, decision: 'retry', layer: 'gold' }, /not a text: undefined/],
    ];
    for (const [payload, reason] of cases) {
      await assert.rejects(
        owner.handle.executeUpdate<void, [unknown]>('resolveGate', { args: [payload] }),
        (error: unknown) =>
          error instanceof WorkflowUpdateFailedError && reason.test(String(error.cause)),
      );
    }
    const { events } = await owner.handle.fetchHistory();
    const accepted = (events ?? []).some((e) => e.workflowExecutionUpdateAcceptedEventAttributes);
    assert.equal(accepted, false);
    assert.ok((await owner.status()).silver[firstHour]?.parked != null);
  });
});
