import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type IngotAnswer, runIngot } from '../support/run-ingot.ts';
import { withoutSettings } from '../support/without-settings.ts';

describe('ingot', function () {
  this.timeout(180_000);
  let folder: string;
  before(async () => (folder = await mkdtemp(join(tmpdir(), 'ingot-cli-'))));
  after(() => rm(folder, { recursive: true, force: true }));

  /** Runs the command in another folder than that of the project, as a person may. */
  function run(args: readonly string[], env: Record<string, string> = {}): Promise<IngotAnswer> {
    const settings = { ...withoutSettings(process.env), INGOT_CACHE_DIR: folder, ...env };
    return runIngot(args, { cwd: folder, env: settings });
  }

  it('shows examples in the help of a verb', async () => {
    const { code, stdout } = await run(['up', '--help']);
    assert.equal(code, 0);
    assert.match(stdout, /Examples:\n {2}\$ ingot up/);
  });

  it('ends with 2 and names every wrong setting, those of .env too, without a stack trace', async () => {
    await writeFile(join(folder, '.env'), 'STACK_AWS_PORT=0\nINGOT_ID=fromfile\n');
    const { code, stderr } = await run(['status'], {
      STACK_KAFKA_PORT: 'many',
      INGOT_ID: 'Wrong!',
    });
    await rm(join(folder, '.env'));
    assert.equal(code, 2);
    assert.match(stderr, /STACK_KAFKA_PORT="many"/);
    assert.match(stderr, /STACK_AWS_PORT="0"/);
    assert.match(stderr, /INGOT_ID="Wrong!"/);
    assert.doesNotMatch(stderr, /\n\s+at /);
  });

  it('names a namespace or a bucket that is not there, and the settings that name it', async () => {
    const { STACK_TEMPORAL_PORT, STACK_AWS_PORT } = process.env;
    const env = {
      ...{ STACK_TEMPORAL_PORT: STACK_TEMPORAL_PORT!, STACK_AWS_PORT: STACK_AWS_PORT! },
      INGOT_ID: 'nonesuch',
    };
    const schedule = await run(['schedule', 'show'], env);
    assert.equal(schedule.code, 2);
    assert.match(schedule.stderr, /Temporal has no namespace ingot-nonesuch\. Is INGOT_ID/);
    const query = await run(['query', 'hourly_revenue'], env);
    assert.equal(query.code, 2);
    assert.match(query.stderr, /S3 has no bucket ingot-lake-nonesuch\. Is INGOT_ID/);
  });

  it('says which address does not answer', async () => {
    const { code, stderr } = await run(['schedule', 'show'], { TEMPORAL_ADDRESS: '127.0.0.1:1' });
    assert.equal(code, 1);
    assert.match(stderr, /Temporal cannot be reached \[address=127\.0\.0\.1:1/);
  });

  it('ends with 2 when it does not know what was asked', async () => {
    assert.equal((await run(['up', '--sideways'])).code, 2);
    assert.equal((await run(['down', 'zookeeper'])).code, 2);
  });

  it('prints results to stdout and nothing else there', async () => {
    const { code, stdout } = await run(['status', '--json'], {
      TEMPORAL_ADDRESS: '127.0.0.1:1',
      KAFKA_BROKERS: '127.0.0.1:1',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
    });
    assert.equal(code, 0);
    assert.deepEqual(
      (JSON.parse(stdout) as { name: string }[]).map(({ name }) => name),
      ['temporal', 'kafka', 'aws'],
    );
  });
});
