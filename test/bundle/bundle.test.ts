import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import * as workflows from '../../src/workflows/index.ts';
import { bundle, shippedBundle } from '../support/temporal/bundle.ts';

describe('the workflow bundle', function () {
  this.timeout(180_000);

  it('holds the workflows that are started by name, and no other', () => {
    assert.deepEqual(Object.keys(workflows).sort(), [
      'buildGoldWindow',
      'buildSilverWindow',
      'goldHourly',
      'ingestLane',
      'janitor',
      'lakehouse',
    ]);
  });

  it('is free of I/O, of zod and of everything that reads the environment', async () => {
    const { code } = await shippedBundle();
    // The paths of modules are in the bundle, or looking for them would prove nothing.
    assert.match(code, /src\/workflows\/lakehouse\.ts/);
    const foreign =
      /node_modules\/(zod|kafkajs|@aws-sdk|@duckdb)\/|src\/(adapters|activities|config|datasets)\b/;
    assert.doesNotMatch(code, foreign);
  });

  it('is refused when a workflow reaches the file system', async () => {
    const path = fileURLToPath(new URL('./fixtures/reads-a-file.ts', import.meta.url));
    await assert.rejects(bundle(path));
  });
});
