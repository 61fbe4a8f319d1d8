import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { configSchema, loadConfig, type Environment } from '../src/config.ts';
import { IngotError } from '../src/errors.ts';

function problemsOf(env: Environment): readonly string[] {
  try {
    loadConfig(env);
  } catch (error) {
    assert.ok(error instanceof IngotError);
    assert.equal(error.code, 'CONFIG_INVALID');
    assert.equal(error.retryable, false);
    const [first, ...problems] = error.message.split('\n');
    assert.equal(first, 'wrong settings:');
    return problems.map((problem) => problem.trim());
  }
  return [];
}

describe('loadConfig', () => {
  it('needs no variable at all', () => {
    const config = loadConfig({});
    assert.equal(config.INGOT_ID, 'dev');
    assert.equal(config.INGOT_CACHE_DIR, join(homedir(), '.cache', 'ingot'));
    assert.equal(config.KAFKA_TOPICS, 'ecommerce-events');
  });

  it('points at the local stack where nothing else is named', () => {
    const { temporalAddress, temporalWebUrl, kafkaBrokers, awsEndpoint } = loadConfig({});
    assert.deepEqual(
      { temporalAddress, temporalWebUrl, kafkaBrokers, awsEndpoint },
      {
        temporalAddress: '127.0.0.1:7233',
        temporalWebUrl: 'http://127.0.0.1:8233',
        kafkaBrokers: ['127.0.0.1:9092'],
        awsEndpoint: 'http://127.0.0.1:4566',
      },
    );
  });

  it('follows the ports of the local stack', () => {
    const config = loadConfig({
      STACK_TEMPORAL_PORT: '17233',
      STACK_TEMPORAL_UI_PORT: '18233',
      STACK_KAFKA_PORT: '19092',
      STACK_AWS_PORT: '14566',
    });
    assert.equal(config.temporalAddress, '127.0.0.1:17233');
    assert.equal(config.temporalWebUrl, 'http://127.0.0.1:18233');
    assert.deepEqual(config.kafkaBrokers, ['127.0.0.1:19092']);
    assert.equal(config.awsEndpoint, 'http://127.0.0.1:14566');
  });

  it('derives namespace and bucket from the id', () => {
    const config = loadConfig({ INGOT_ID: 'alice2' });
    assert.equal(config.temporalNamespace, 'ingot-alice2');
    assert.equal(config.lakeBucket, 'ingot-lake-alice2');
  });

  it('takes what is named instead of what is derived', () => {
    const config = loadConfig({
      TEMPORAL_ADDRESS: 'temporal.example.com:7233',
      TEMPORAL_NAMESPACE: 'analytics',
      TEMPORAL_WEB_URL: 'https://temporal.example.com',
      KAFKA_BROKERS: 'one:9092,two:9093',
      AWS_ENDPOINT_URL: 'http://store:4566',
      LAKE_BUCKET: 'lake',
    });
    assert.equal(config.temporalAddress, 'temporal.example.com:7233');
    assert.equal(config.temporalNamespace, 'analytics');
    assert.equal(config.temporalWebUrl, 'https://temporal.example.com');
    assert.deepEqual(config.kafkaBrokers, ['one:9092', 'two:9093']);
    assert.equal(config.awsEndpoint, 'http://store:4566');
    assert.equal(config.lakeBucket, 'lake');
  });

  it('has no endpoint when the real AWS is meant', () => {
    assert.equal(loadConfig({ AWS_USE_REAL: 'true' }).awsEndpoint, undefined);
  });

  it('takes an empty variable for an absent one', () => {
    const empty = Object.fromEntries(Object.keys(configSchema.shape).map((name) => [name, '']));
    assert.deepEqual(loadConfig(empty), loadConfig({}));
  });

  it('ignores variables of others', () => {
    assert.deepEqual(loadConfig({ HOME: '/nowhere', FOLD_MINUTES: '1' }), loadConfig({}));
  });

  it('answers a frozen object', () => {
    assert.ok(Object.isFrozen(loadConfig({})));
  });

  it('names every wrong variable with its value and what is allowed, at once', () => {
    const problems = problemsOf({
      INGOT_ID: 'Bad-Id',
      LOG_LEVEL: 'loud',
      TEMPORAL_ADDRESS: 'no-port',
      TEMPORAL_TLS: 'maybe',
      KAFKA_TOPICS: 'two words',
      BUILDS_MAX: '65',
      DUCKDB_THREADS: '0',
    });
    const wanted = [
      /^INGOT_ID="Bad-Id": must be 1 to 24 lower-case letters and digits, a letter first\. /,
      /^LOG_LEVEL="loud": .*"trace"\|"debug"\|"info"\|"warn"\|"error"\|"silent"/,
      /^TEMPORAL_ADDRESS="no-port": must be host:port\. /,
      /^TEMPORAL_TLS="maybe": .*"true".*"false"/,
      /^KAFKA_TOPICS="two words": must be Kafka topic names, separated by commas\. /,
      /^BUILDS_MAX="65": must be a whole number from 1 to 64\. /,
      /^DUCKDB_THREADS="0": must be a whole number from 1 to 256\. /,
    ];
    assert.equal(problems.length, wanted.length);
    wanted.forEach((pattern, index) => assert.match(problems[index] ?? '', pattern));
  });

  it('says with each problem what the variable is for', () => {
    const [problem = ''] = problemsOf({ FOLD_SECONDS: 'soon' });
    assert.match(problem, /^FOLD_SECONDS="soon": .*An open window is folded at most this often\.$/);
  });

  it('never turns an unparsable number into its default', () => {
    for (const value of ['ten', '1.5', '10s', '-1']) {
      assert.equal(problemsOf({ BUILDS_MAX: value }).length, 1, value);
    }
  });

  it('shows no secret, whatever else is wrong', () => {
    const text = problemsOf({
      TEMPORAL_API_KEY: 'key-hunter2',
      KAFKA_SASL_PASSWORD: 'password-hunter2',
      KAFKA_SASL_MECHANISM: 'md5',
    }).join('\n');
    assert.match(text, /KAFKA_SASL_MECHANISM="md5"/);
    assert.doesNotMatch(text, /hunter2/);
  });

  describe('settings that hang together', () => {
    const cases: readonly (readonly [claim: string, env: Environment, problem: RegExp])[] = [
      [
        'an API key is never sent in the clear',
        { TEMPORAL_API_KEY: 'hunter2' },
        /^TEMPORAL_API_KEY .*TEMPORAL_TLS must be true/,
      ],
      [
        'a client certificate needs its key',
        { TEMPORAL_TLS_CERT_FILE: 'client.pem' },
        /^TEMPORAL_TLS_CERT_FILE and TEMPORAL_TLS_KEY_FILE must be set together$/,
      ],
      [
        'SASL needs mechanism, user and password',
        { KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'ingot' },
        /^KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD must be set together$/,
      ],
      [
        'the real AWS and an endpoint exclude each other',
        { AWS_USE_REAL: 'true', AWS_ENDPOINT_URL: 'http://store:4566' },
        /^AWS_USE_REAL=true and AWS_ENDPOINT_URL exclude each other$/,
      ],
      [
        'an age that stretches does not shrink',
        { INGEST_FLUSH_MS: '5000', INGEST_FLUSH_IDLE_MS: '1000' },
        /^INGEST_FLUSH_IDLE_MS must be at least INGEST_FLUSH_MS$/,
      ],
    ];
    for (const [claim, env, problem] of cases) {
      it(claim, () => {
        const problems = problemsOf(env);
        assert.equal(problems.length, 1);
        assert.match(problems[0] ?? '', problem);
      });
    }

    it('are all reported at once', () => {
      const all = Object.assign({}, ...cases.map(([, env]) => env)) as Environment;
      assert.equal(problemsOf(all).length, cases.length);
    });
  });
});
