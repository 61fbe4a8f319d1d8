import assert from 'node:assert/strict';
import { createMemoryObjectStore } from '../../src/adapters/memory-object-store.ts';
import { type StepSpec, createSteps, steppedStore } from '../chaos/support/steps.ts';

const bytes = Buffer.from('{"kind":"plan"}');

/** What is in the store when the process stops, stop by stop. */
async function seen(specs: readonly StepSpec[], keys: readonly string[]) {
  const store = createMemoryObjectStore();
  const stops: Promise<readonly string[]>[] = [];
  const look = async (): Promise<readonly string[]> =>
    (await store.listObjects('')).map(({ key }) => key);
  const stepped = steppedStore(
    store,
    createSteps(specs, () => void stops.push(look())),
  );
  const answers: string[] = [];
  for (const key of keys) answers.push((await stepped.createObject(key, bytes)).kind);
  return { stops: await Promise.all(stops), answers };
}

const plan = { call: 'createObject', key: '\\.json$', content: '"kind":"plan"' } as const;

describe('steppedStore', () => {
  it('stops before the n-th call that matches, and nowhere else', async () => {
    const spec: StepSpec = { ...plan, when: 'before', act: 'wait', nth: 2 };
    const { stops } = await seen([spec], ['0.json', 'raw', '1.json', '2.json']);
    assert.deepEqual(stops, [['0.json', 'raw']]);
  });

  it('stops after a call, when its effect is there', async () => {
    const spec: StepSpec = { ...plan, when: 'after', act: 'wait', nth: 1 };
    const { stops } = await seen([spec], ['0.json', '1.json']);
    assert.deepEqual(stops, [['0.json']]);
  });

  it('looks at the content where the key does not tell', async () => {
    const spec: StepSpec = { ...plan, content: 'takeover', when: 'before', act: 'wait', nth: 1 };
    assert.deepEqual((await seen([spec], ['0.json'])).stops, []);
  });

  it('hands on the second answer of a call whose first was lost', async () => {
    const spec: StepSpec = { ...plan, when: 'after', act: 'repeat' };
    const { answers } = await seen([spec], ['0.json', 'raw', '1.json']);
    assert.deepEqual(answers, ['alreadyExists', 'created', 'alreadyExists']);
  });
});
