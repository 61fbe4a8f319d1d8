import assert from 'node:assert/strict';
import { ServiceError } from '@temporalio/client';
import { executeUpdate, type UpdatedHandle } from '../../src/workers/update.ts';

/* Updates of a workflow that may be about to begin a new run. */

describe('executeUpdate', () => {
  it('asks again, under the same id, when a new run began meanwhile', async () => {
    const ids: unknown[] = [];
    const handle = answering(ids, [notReady(), notReady(), 'paused']);

    assert.equal(await executeUpdate(handle, 'pause', {}, [0, 0, 0]), 'paused');
    assert.equal(ids.length, 3);
    assert.equal(new Set(ids).size, 1);
  });

  it('says so in the end when the workflow never becomes ready', async () => {
    const ids: unknown[] = [];
    const handle = answering(ids, [notReady(), notReady(), notReady()]);

    await assert.rejects(executeUpdate(handle, 'pause', {}, [0, 0]), ServiceError);
    assert.equal(ids.length, 3);
  });

  for (const [what, refusal] of [
    ['refused update', new Error('refused')],
    ['lost permission', grpcError(7, 'not allowed')],
    ['other precondition', grpcError(9, 'namespace is not active')],
  ] as const) {
    it(`asks only once for a ${what}`, async () => {
      const ids: unknown[] = [];

      await assert.rejects(executeUpdate(answering(ids, [refusal]), 'pause', {}, [0]), refusal);
      assert.equal(ids.length, 1);
    });
  }
});

function answering(ids: unknown[], answers: readonly unknown[]): UpdatedHandle {
  const executeUpdate = (_name: unknown, options: { updateId?: string }): Promise<unknown> => {
    const answer = answers[ids.length];
    ids.push(options.updateId);
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  return { executeUpdate };
}

function notReady(): ServiceError {
  return grpcError(
    9,
    'Unable to perform workflow execution update due to unexpected workflow task failure.',
  );
}

function grpcError(code: number, details: string): ServiceError {
  const cause = Object.assign(new Error(`${code}: ${details}`), { code, details });
  return new ServiceError('Workflow Update failed', { cause });
}
