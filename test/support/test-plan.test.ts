import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { planTests } from './test-plan.ts';

describe('planTests', () => {
  let root: string;
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'ingot-plan-'));
    await mkdir(join(root, 'test/lake'), { recursive: true });
    await mkdir(join(root, 'test/e2e'), { recursive: true });
    await writeFile(join(root, 'test/lake/window.test.ts'), '');
    await writeFile(join(root, 'test/lake/helper.ts'), '');
    await writeFile(join(root, 'test/e2e/day.test.ts'), '');
  });
  after(() => rm(root, { recursive: true, force: true }));

  it('runs every test, and servers for those that need them', () => {
    assert.deepEqual(planTests(root, []), {
      mode: 'all',
      files: ['test/e2e/day.test.ts', 'test/lake/window.test.ts'],
      needsServers: true,
      rest: [],
    });
  });

  it('leaves out of `unit` what needs a server, and passes the rest on to mocha', () => {
    assert.deepEqual(planTests(root, ['unit', '--', '--grep', 'tiles']), {
      mode: 'unit',
      files: ['test/lake/window.test.ts'],
      needsServers: false,
      rest: ['--grep', 'tiles'],
    });
  });

  it('runs only the files that are named, without servers when none of them needs one', () => {
    const plan = planTests(process.cwd(), ['--', 'test/support/test-plan.test.ts', '--bail']);
    assert.deepEqual(plan, {
      mode: 'all',
      files: ['test/support/test-plan.test.ts'],
      needsServers: false,
      rest: ['--bail'],
    });
  });

  it('gives the recorder of histories servers and its own arguments', () => {
    const plan = planTests(root, ['record-histories', 'backfill']);
    assert.deepEqual(plan, {
      mode: 'record-histories',
      files: [],
      needsServers: true,
      rest: ['backfill'],
    });
  });
});
