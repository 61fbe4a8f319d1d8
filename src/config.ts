import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { IngotError } from './errors.ts';

/*
 * Every setting of Ingot, once. An empty or blank variable counts as absent, so that a commented line in an
 * .env file and a missing one mean the same. docs: .env.example is generated from these keys and
 * descriptions, and test/tidy.test.ts holds the two together.
 *
 * Longer than 300 lines because every setting is in this one place.
 */

const whole = (byDefault: number, min: number, max: number) => {
  const error = `must be a whole number from ${min} to ${max}`;
  return z.coerce.number(error).int(error).min(min, error).max(max, error).default(byDefault);
};
const retention = (what: string) =>
  whole(0, 0, 36_500).describe(`${what} older than so many days may go; 0: kept for ever.`);
const port = (byDefault: number) => whole(byDefault, 1, 65_535);
const address = z.url({ protocol: /^https?$/, error: 'must be an http or https address' });
const optional = z.string().min(1).optional();

const hostAndPort = z.string().regex(/^[^\s:]+:\d{1,5}$/, 'must be host:port');
const hostsAndPorts = z
  .string()
  .regex(
    /^[^\s:,]+:\d{1,5}(,[^\s:,]+:\d{1,5})*$/,
    'must be host:port, several separated by commas',
  );

export const configSchema = z.object({
  INGOT_ID: z
    .string()
    .regex(/^[a-z][a-z0-9]{0,23}$/, 'must be 1 to 24 lower-case letters and digits, a letter first')
    .default('dev')
    .describe(
      'Suffix of databases, bucket and Temporal namespace, so that several users share one account.',
    ),
  INGOT_CACHE_DIR: z
    .string()
    .min(1)
    .default(() => join(homedir(), '.cache', 'ingot'))
    .describe('Folder outside the repository for the local stack, its data, and cached objects.'),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('Least severe log line that is printed.'),
  LOG_FORMAT: z
    .enum(['auto', 'json', 'pretty'])
    .default('auto')
    .describe('auto: pretty on a terminal.'),

  TEMPORAL_ADDRESS: hostAndPort
    .optional()
    .describe('host:port of Temporal. Unset: the local stack.'),
  TEMPORAL_NAMESPACE: optional.describe('Temporal namespace. Unset: ingot-<INGOT_ID>.'),
  TEMPORAL_API_KEY: optional.describe('API key, for Temporal Cloud. Needs TEMPORAL_TLS=true.'),
  TEMPORAL_TLS: z.stringbool().default(false).describe('Speak TLS to Temporal.'),
  TEMPORAL_TLS_CERT_FILE: optional.describe('Client certificate (PEM) for mutual TLS.'),
  TEMPORAL_TLS_KEY_FILE: optional.describe('Client key (PEM) for mutual TLS.'),
  TEMPORAL_DEPLOYMENT_NAME: optional.describe(
    'Worker deployment that the workflow code is versioned in. Unset: not versioned.',
  ),
  TEMPORAL_BUILD_ID: optional.describe('Version of the workflow code in that deployment.'),
  TEMPORAL_WEB_URL: address
    .optional()
    .describe('Address of the Temporal Web UI. Unset: the local one.'),

  KAFKA_BROKERS: hostsAndPorts
    .optional()
    .describe('host:port[,host:port…]. Unset: the local stack.'),
  KAFKA_TLS: z.stringbool().default(false).describe('Speak TLS to Kafka.'),
  KAFKA_SASL_MECHANISM: z
    .enum(['plain', 'scram-sha-256', 'scram-sha-512'])
    .optional()
    .describe('SASL mechanism. Unset: none.'),
  KAFKA_SASL_USERNAME: optional.describe('SASL user.'),
  KAFKA_SASL_PASSWORD: optional.describe('SASL password.'),
  KAFKA_TOPICS: z
    .string()
    .regex(
      /^[A-Za-z0-9._-]{1,200}(,[A-Za-z0-9._-]{1,200})*$/,
      'must be Kafka topic names, separated by commas',
    )
    .default('ecommerce-events')
    .describe(
      'Topics of the dataset events. One named user-activity… holds family A, any other family B.',
    ),
  KAFKA_TOPIC_PARTITIONS: whole(3, 1, 1_000).describe(
    'Topic partitions of a topic that Ingot creates.',
  ),

  AWS_REGION: z.string().min(1).default('us-west-2').describe('Region of S3, Glue and Athena.'),
  AWS_ENDPOINT_URL: address
    .optional()
    .describe('One endpoint for S3 and Glue. Unset: the local stack.'),
  AWS_USE_REAL: z.stringbool().default(false).describe('true: no endpoint, the real AWS.'),
  LAKE_BUCKET: optional.describe('Bucket of the lake. Unset: ingot-lake-<INGOT_ID>.'),

  STACK_TEMPORAL_PORT: port(7233).describe('Port of the local Temporal server.'),
  STACK_TEMPORAL_UI_PORT: port(8233).describe('Port of the local Temporal Web UI.'),
  STACK_KAFKA_PORT: port(9092).describe('Port of the local Kafka broker.'),
  STACK_KAFKA_CONTROLLER_PORT: port(9093).describe('Port of the local Kafka controller (KRaft).'),
  STACK_AWS_PORT: port(4566).describe('Port of the local S3 and Glue.'),

  INGEST_BATCH_ROWS_MAX: whole(200_000, 1, 5_000_000).describe(
    'A batch is flushed at so many records.',
  ),
  INGEST_BATCH_BYTES_MAX: whole(33_554_432, 1_024, 536_870_912).describe(
    'A batch is flushed at so many bytes.',
  ),
  INGEST_FLUSH_MS: whole(2_000, 50, 600_000).describe('A batch is flushed at this age.'),
  INGEST_FLUSH_IDLE_MS: whole(10_000, 50, 600_000).describe(
    'The age stretches to this while a topic partition brings under 1,000 rows a flush.',
  ),
  INGEST_RECORD_BYTES_MAX: whole(1_048_576, 64, 67_108_864).describe(
    'A larger record is a dead letter.',
  ),
  INGEST_SLICE_SECONDS: whole(600, 2, 86_400).describe(
    'The ingest activity returns its positions to workflow history this often.',
  ),
  INGEST_RAW_COPY: z
    .stringbool()
    .default(true)
    .describe('Keep a gzip JSON Lines copy of every batch under raw/.'),

  BRONZE_ENCODER: z
    .enum(['duckdb', 'parquetjs'])
    .default('duckdb')
    .describe(
      'What writes bronze files: the embedded engine, or plain JavaScript, several times slower, where that has no build.',
    ),
  INGEST_LANES: whole(1, 1, 1_000).describe(
    'Lanes among which topic partitions are dealt. The worker that starts last decides.',
  ),
  INGEST_LANES_PER_WORKER: whole(4, 1, 64).describe(
    'Lanes that one ingest worker runs at once; the others go to other workers.',
  ),
  INGEST_THREADS: whole(3, 0, 64).describe(
    'Threads among which a lane shares its topic partitions; 0: none beside the main one.',
  ),
  INGEST_BUFFER_MB: whole(32, 2, 65_536).describe(
    'What records that are not yet committed may take in one lane, in MiB.',
  ),
  INGEST_ENGINE_MEMORY_MB: whole(96, 64, 65_536).describe(
    'Memory limit of the engine in each thread of ingest, in MiB.',
  ),
  INGEST_YOUNG_HEAP_MB: whole(12, 1, 1_024).describe(
    'Heap of each thread of ingest for short-lived objects, in MiB.',
  ),

  DROP_ENABLED: z
    .stringbool()
    .default(false)
    .describe('Take files that are dropped into a folder of the lake bucket.'),
  DROP_PREFIX: z
    .string()
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9_.=-]*(\/[A-Za-z0-9_.=-]+)*\/$/,
      'must be a folder such as landing/events/: letters, digits and _.=- between slashes, one at the end',
    )
    .default('landing/events/')
    .describe('The drop folder.'),
  DROP_POLL_SECONDS: whole(10, 1, 3_600).describe('The drop folder is looked at this often.'),
  DROP_DELAY_SECONDS: whole(300, 0, 86_400).describe(
    'How old the events of a file may be when it is dropped: windows wait so long for them.',
  ),

  ALLOWED_LATENESS_SECONDS: whole(120, 0, 86_400).describe(
    'A window closes when every frontier has passed its end by this.',
  ),
  FOLD_SECONDS: whole(60, 1, 3_600).describe('An open window is folded at most this often.'),
  FOLD_HORIZON_HOURS: whole(3, 1, 48).describe(
    'Only windows newer than this are folded; older ones are rebuilt.',
  ),
  BATCH_WINDOWS_MAX: whole(100, 10, 400).describe(
    'Windows that one batch may touch; what it holds of others waits for a decision, as a gate.',
  ),
  MAX_WAIT_SECONDS: whole(1_800, 1, 86_400).describe(
    'How long hourly gold waits for its hour to close before it goes on, marked incomplete.',
  ),
  GOLD_REFRESH: z
    .enum(['schedule', 'follow'])
    .default('schedule')
    .describe(
      'schedule: hourly. follow: also after silver, at intervals of three times the last build.',
    ),
  BUILDS_MAX: whole(4, 1, 64).describe('Builds that the owner of the windows runs at once.'),
  BACKFILL_BUILDS_MAX: whole(2, 1, 64).describe(
    'Builds of backfills that run at once, beside the regular ones.',
  ),
  BACKFILL_SLOTS: whole(1, 1, 64).describe(
    'Activities of backfills that one worker runs at once, beside TRANSFORM_SLOTS.',
  ),
  ALERT_WEBHOOK_URL: address
    .optional()
    .describe('Alerts are posted there as JSON. Unset: only a line in the log.'),
  ALERT_WEBHOOK_TIMEOUT_MS: whole(5_000, 100, 60_000).describe(
    'How long one attempt to post an alert may take.',
  ),
  TRANSFORM_SLOTS: whole(3, 1, 64).describe('Transform activities that one worker runs at once.'),
  DUCKDB_THREADS: whole(2, 1, 256).describe(
    'Threads of the embedded engine in one process, which all slots of a transform worker share.',
  ),
  DUCKDB_MEMORY_MB: whole(1_024, 128, 1_048_576).describe(
    'Memory limit of the embedded engine, in MiB.',
  ),
  OBJECT_CACHE_MB: whole(2_048, 16, 1_048_576).describe(
    'Bound of the local cache of immutable objects, in MiB.',
  ),
  JANITOR_GRACE_HOURS: whole(24, 1, 720).describe(
    'How long the janitor leaves what nothing names any more, for readers that still do.',
  ),
  RETENTION_RAW_DAYS: retention('Raw copies'),
  RETENTION_BRONZE_DAYS: retention('Batch files whose rows are all in silver and that are'),
  RETENTION_SILVER_DAYS: retention('Windows of silver'),
  RETENTION_GOLD_DAYS: retention('Windows of gold'),
  RETENTION_DEAD_LETTERS_DAYS: retention('Dead letters'),
  RETENTION_DQ_RESULTS_DAYS: retention(
    'Check results of versions that are not current and that are',
  ),
  RETENTION_LANDING_DAYS: whole(30, 0, 36_500).describe(
    'Files of the drop folder that were taken so many days ago may go; 0: kept for ever.',
  ),
  SHUTDOWN_GRACE_SECONDS: whole(45, 1, 3_600).describe(
    'How long a worker may finish what it runs after SIGTERM.',
  ),
});

export type Settings = z.infer<typeof configSchema>;

/** The settings with everything derived from them, frozen. Addresses are always filled in. */
export type Config = Readonly<
  Settings & {
    readonly temporalAddress: string;
    readonly temporalNamespace: string;
    readonly temporalWebUrl: string;
    readonly kafkaBrokers: readonly string[];
    /** Absent when the real AWS is used. */
    readonly awsEndpoint: string | undefined;
    readonly lakeBucket: string;
  }
>;

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads and checks all settings at once. Throws `CONFIG_INVALID` naming every wrong variable, its
 * value (secrets excepted) and what is allowed. Only entry points call it.
 */
export function loadConfig(env: Environment): Config {
  const present = Object.fromEntries(
    Object.keys(configSchema.shape)
      .map((name) => [name, env[name]] as const)
      .filter(([, value]) => value !== undefined && value.trim() !== ''),
  );
  const parsed = configSchema.safeParse(present);
  const problems = parsed.success
    ? crossChecks(parsed.data)
    : [
        ...parsed.error.issues.map((issue) =>
          describeIssue(issue.path.join('.'), issue.message, present),
        ),
        ...crossChecksOfTheRest(present, parsed.error.issues),
      ];
  if (problems.length > 0 || !parsed.success) {
    throw new IngotError(
      'CONFIG_INVALID',
      `wrong settings:\n${problems.map((p) => `  ${p}`).join('\n')}`,
      { retryable: false },
    );
  }
  return Object.freeze(derive(parsed.data));
}

function derive(settings: Settings): Config {
  return {
    ...settings,
    temporalAddress: settings.TEMPORAL_ADDRESS ?? `127.0.0.1:${settings.STACK_TEMPORAL_PORT}`,
    temporalNamespace: settings.TEMPORAL_NAMESPACE ?? `ingot-${settings.INGOT_ID}`,
    temporalWebUrl:
      settings.TEMPORAL_WEB_URL ?? `http://127.0.0.1:${settings.STACK_TEMPORAL_UI_PORT}`,
    kafkaBrokers: (settings.KAFKA_BROKERS ?? `127.0.0.1:${settings.STACK_KAFKA_PORT}`).split(','),
    awsEndpoint: settings.AWS_USE_REAL
      ? undefined
      : (settings.AWS_ENDPOINT_URL ?? `http://127.0.0.1:${settings.STACK_AWS_PORT}`),
    lakeBucket: settings.LAKE_BUCKET ?? `ingot-lake-${settings.INGOT_ID}`,
  };
}

/** What does not fit together among the variables that are right by themselves. */
function crossChecksOfTheRest(
  present: Readonly<Record<string, unknown>>,
  issues: readonly { readonly path: readonly PropertyKey[] }[],
): string[] {
  const wrong = new Set(issues.map(({ path }) => path.join('.')));
  const rest = Object.entries(present).filter(([name]) => !wrong.has(name));
  const parsed = configSchema.safeParse(Object.fromEntries(rest));
  return parsed.success ? crossChecks(parsed.data) : [];
}

const setTogether = [
  ['TEMPORAL_TLS_CERT_FILE', 'TEMPORAL_TLS_KEY_FILE'],
  ['TEMPORAL_DEPLOYMENT_NAME', 'TEMPORAL_BUILD_ID'],
  ['KAFKA_SASL_MECHANISM', 'KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD'],
] as const;

function crossChecks(settings: Settings): string[] {
  const problems: string[] = [];
  if (settings.TEMPORAL_API_KEY !== undefined && !settings.TEMPORAL_TLS) {
    problems.push(
      'TEMPORAL_API_KEY is set, so TEMPORAL_TLS must be true: a key is never sent in the clear',
    );
  }
  for (const names of setTogether) {
    const count = names.filter((name) => settings[name] !== undefined).length;
    if (count > 0 && count < names.length) {
      const list = `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
      problems.push(`${list} must be set together`);
    }
  }
  if (settings.AWS_USE_REAL && settings.AWS_ENDPOINT_URL !== undefined) {
    problems.push('AWS_USE_REAL=true and AWS_ENDPOINT_URL exclude each other');
  }
  if (settings.INGEST_FLUSH_IDLE_MS < settings.INGEST_FLUSH_MS) {
    problems.push('INGEST_FLUSH_IDLE_MS must be at least INGEST_FLUSH_MS');
  }
  problems.push(...dropChecks(settings));
  return problems;
}

/** Folders of the lake that Ingot writes itself. */
const ownFolder = /^(bronze|silver|gold|raw|dead_letters|quarantine|dq_results)\//;

function dropChecks({ DROP_ENABLED, DROP_PREFIX, KAFKA_TOPICS }: Settings): string[] {
  const problems: string[] = [];
  if (ownFolder.test(DROP_PREFIX)) {
    problems.push(`DROP_PREFIX=${DROP_PREFIX} is a folder that Ingot writes itself`);
  }
  if (DROP_ENABLED && KAFKA_TOPICS.split(',').includes('drop')) {
    problems.push("KAFKA_TOPICS must not hold a topic named drop: so is the drop folder's log");
  }
  return problems;
}

const secret = /PASSWORD|API_KEY|SECRET|TOKEN|WEBHOOK_URL/;

function describeIssue(name: string, message: string, present: Record<string, unknown>): string {
  const value = present[name];
  const shown = secret.test(name) ? '(hidden)' : JSON.stringify(value);
  const allowed = configSchema.shape[name as keyof Settings]?.description ?? '';
  return `${name}=${shown}: ${message}. ${allowed}`.trim();
}
