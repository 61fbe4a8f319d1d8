import { readSync, writeSync } from 'node:fs';
import type { Catalog, CatalogTable, ObjectStore } from '../../../src/ports.ts';
import { aroundStore } from '../../support/around-store.ts';

/*
 * Steps at which a process under test stops, or is told something twice. They are reached through
 * ports that the test decorates; the product knows nothing of them.
 */

export type StepSpec = {
  /** A method of a port, such as `createObject`, or `tellOwner`, or `report`. */
  readonly call: string;
  /** Sources of regular expressions: of the key, and of the content where that decides. */
  readonly key: string;
  readonly content?: string;
  readonly when: 'before' | 'after';
  /**
   * `wait`: tells the test and waits until it is let go, or killed. `repeat`: asks again after the
   * call was answered and hands on the second answer, as a client does that has lost the first.
   * `die`: SIGKILL by its own hand, for where nobody could be as quick.
   */
  readonly act: 'wait' | 'repeat' | 'die';
  /** Counted from 1, in each thread; absent: every time. */
  readonly nth?: number;
};

export type Call = { readonly call: string; readonly key: string; readonly content: string };

export type Steps = {
  readonly around: <T>(call: Call, run: () => Promise<T>) => Promise<T>;
};

/** Where a child is told its steps, and the pipes by which it speaks with the test. */
export const stepsVariable = 'CHAOS_STEPS';
export const reportFd = 3;
export const releaseFd = 4;

export function stepsFromEnvironment(env: NodeJS.ProcessEnv): Steps {
  return createSteps(JSON.parse(env[stepsVariable] ?? '[]') as readonly StepSpec[], waitForRelease);
}

/** `wait` stops the thread until the test lets it go. */
export function createSteps(
  specs: readonly StepSpec[],
  wait: (call: Call, when: StepSpec['when']) => void,
): Steps {
  const counts = specs.map(() => 0);
  const due = (call: Call): readonly StepSpec[] =>
    specs.filter((spec, index) => {
      if (!matches(spec, call)) return false;
      counts[index] = (counts[index] ?? 0) + 1;
      return spec.nth === undefined || counts[index] === spec.nth;
    });
  return {
    around: async (call, run) => {
      const reached = due(call);
      const stop = (when: StepSpec['when']): void => {
        const now = reached.filter((spec) => spec.when === when);
        if (now.some(({ act }) => act === 'die')) process.kill(process.pid, 'SIGKILL');
        if (now.some(({ act }) => act === 'wait')) wait(call, when);
      };
      stop('before');
      const first = await run();
      const answer = reached.some(({ act }) => act === 'repeat') ? await run() : first;
      stop('after');
      return answer;
    },
  };
}

function matches(spec: StepSpec, { call, key, content }: Call): boolean {
  return (
    spec.call === call &&
    new RegExp(spec.key).test(key) &&
    (spec.content === undefined || new RegExp(spec.content).test(content))
  );
}

/** A store whose every operation is a step; the content of small JSON objects is looked at. */
export function steppedStore(store: ObjectStore, { around }: Steps): ObjectStore {
  const contentOf = (key: string, bytes: Uint8Array): string =>
    key.endsWith('.json') ? Buffer.from(bytes).toString('utf8') : '';
  return {
    ...aroundStore(store, (step, run) =>
      around({ call: step.name, key: step.key, content: '' }, run),
    ),
    createObject: (key, bytes) =>
      around({ call: 'createObject', key, content: contentOf(key, bytes) }, () =>
        store.createObject(key, bytes),
      ),
    swapObject: (key, bytes, etag) =>
      around({ call: 'swapObject', key, content: contentOf(key, bytes) }, () =>
        store.swapObject(key, bytes, etag),
      ),
  };
}

/** A catalog whose every operation is a step; the content of a call are its table partitions. */
export function steppedCatalog(catalog: Catalog, { around }: Steps): Catalog {
  const step = <T>(
    call: string,
    { table }: CatalogTable,
    content: string,
    run: () => Promise<T>,
  ): Promise<T> => around({ call, key: table.name, content }, run);
  return {
    ensureTable: (table) => step('ensureTable', table, '', () => catalog.ensureTable(table)),
    listPartitions: (table, leading) =>
      step('listPartitions', table, leading.join('/'), () =>
        catalog.listPartitions(table, leading),
      ),
    findPartitions: (table, values) =>
      step('findPartitions', table, values.map((each) => each.join('/')).join(' '), () =>
        catalog.findPartitions(table, values),
      ),
    putPartitions: (table, partitions, expected) =>
      step('putPartitions', table, partitions.map(({ location }) => location).join(' '), () =>
        catalog.putPartitions(table, partitions, expected),
      ),
    deletePartitions: (table, values) =>
      step('deletePartitions', table, values.map((each) => each.join('/')).join(' '), () =>
        catalog.deletePartitions(table, values),
      ),
  };
}

/** Synchronous, so that nothing of this thread goes on: it is a process that stands still here. */
function waitForRelease({ call, key }: Call, when: StepSpec['when']): void {
  writeSync(reportFd, `${JSON.stringify({ call, key, when })}\n`);
  const released = new Uint8Array(1);
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    try {
      // Nothing to read means that the test is gone, and the process goes with it.
      if (readSync(releaseFd, released) === 0) process.exit(1);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(pause, 0, 0, 20);
    }
  }
}
