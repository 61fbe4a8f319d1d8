import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { longestTests } from './longest-tests.ts';
import { planTests } from './test-plan.ts';

const cores = 2;

describe('planTests', () => {
  const itself = 'test/support/test-plan.test.ts';
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
    assert.deepEqual(planTests(root, [], cores), {
      mode: 'all',
      files: ['test/e2e/day.test.ts', 'test/lake/window.test.ts'],
      needsServers: true,
      jobs: 2,
      rest: [],
    });
  });

  it('leaves out of `unit` what needs a server, and passes the rest on to mocha', () => {
    assert.deepEqual(planTests(root, ['unit', '--', '--grep', 'tiles'], cores), {
      mode: 'unit',
      files: ['test/lake/window.test.ts'],
      needsServers: false,
      jobs: 1,
      rest: ['--grep', 'tiles'],
    });
  });

  it('runs only the files that are named, without servers when none of them needs one', () => {
    const plan = planTests(process.cwd(), ['--', itself, '--bail'], cores);
    assert.deepEqual(plan, {
      mode: 'all',
      files: [itself],
      needsServers: false,
      jobs: 1,
      rest: ['--bail'],
    });
  });

  it('gives the recorder of histories servers and its own arguments', () => {
    const plan = planTests(root, ['record-histories', 'backfill'], cores);
    assert.deepEqual(plan, {
      mode: 'record-histories',
      files: [],
      needsServers: true,
      jobs: 1,
      rest: ['backfill'],
    });
  });

  it('runs one file after the other where mocha has to see them all', () => {
    const jobs = (...args: string[]) => planTests(root, args, cores).jobs;
    assert.deepEqual([jobs('--bail'), jobs('--grep', 'sort')], [2, 2]);
    assert.deepEqual([jobs('--inspect-brk'), jobs('--sort'), jobs('--watch')], [1, 1, 1]);
  });

  it('begins with the longest files, and knows none that is not there', () => {
    const { files } = planTests(process.cwd(), [], cores);
    const first = files.slice(0, longestTests.length);
    assert.deepEqual(
      first,
      longestTests.map((name) => `test/${name}`),
    );
    assert.ok(first.every((file) => existsSync(file)));
    assert.equal(new Set(files).size, files.length);
  });
});
