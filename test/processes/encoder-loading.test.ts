import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { compileTests } from '../support/compiled-tests.ts';

describe('bronze encoders', function () {
  this.timeout(180_000);

  it('are loaded when they are chosen: without the engine, ingest loads nothing of it', async () => {
    const root = fileURLToPath(new URL('../..', import.meta.url));
    const compiled = await compileTests(root, ['test/processes/fixtures/loads-an-encoder.ts']);
    const { stdout } = await promisify(execFile)(process.execPath, [...compiled.files]);
    await compiled.remove();
    assert.deepEqual(JSON.parse(stdout), [2, 'parquetjs-lite-0.8.7', false, true]);
  });
});
