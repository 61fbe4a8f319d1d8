import { randomUUID } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Environment } from '../config.ts';
import { IngotError } from '../errors.ts';
import type { RunCommand } from './commands.ts';
import { lastLines } from './files.ts';
import { freePorts } from './free-ports.ts';
import type { InstallSetting } from './parts.ts';
import { canConnect } from './ports.ts';
import { isRunning, startDetached, stopProcess } from './processes.ts';
import { waitUntil } from './wait-until.ts';

export type KafkaPropertiesOptions = {
  readonly port: number;
  readonly controllerPort: number;
  /** Folder of the log segments. */
  readonly logs: string;
};

/** In the tool's folder: the classes of a started broker, ready to be mapped into memory. */
const classArchive = 'classes.jsa';

/**
 * Arguments of Java, run in the tool's folder. Measured on two cores, the start took 3.2 s of CPU
 * time with the quick compiler and without the archive, 7.8 s with Java's defaults, 2.4 s with both.
 */
export function kafkaArguments(mainAndArguments: readonly string[]): readonly string[] {
  return [
    ...quickStart,
    '-Xshare:auto',
    `-XX:SharedArchiveFile=${classArchive}`,
    ...classPath,
    ...mainAndArguments,
  ];
}

const quickStart = [
  '-Xms256m',
  '-Xmx1g',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-Dlog4j2.level=WARN',
];

// Relative, because Java takes the archive only when the class path is the one it was made with.
const classPath = ['-cp', 'libs/*'];

/** `server.properties` of a broker that is its own controller and listens on 127.0.0.1 only. */
export function kafkaProperties({ port, controllerPort, logs }: KafkaPropertiesOptions): string {
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controllerPort}
controller.listener.names=CONTROLLER
listeners=CLIENT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}
advertised.listeners=CLIENT://127.0.0.1:${port}
listener.security.protocol.map=CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=CLIENT
log.dirs=${logs}
# A topic that nobody created is a mistake in a setting, not a wish.
auto.create.topics.enable=false
# What a topic keeps no longer goes within seconds, and not minutes: who tries retention wants to see it.
log.retention.check.interval.ms=2000
log.initial.task.delay.ms=2000
# One node keeps one copy of everything.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
# The first consumer of a group does not wait for others to join.
group.initial.rebalance.delay.ms=0
# After a kill the broker may register again only when its last session is over. Yet a machine that has
# nothing to give for some seconds must not cost the only broker its leaderships.
broker.session.timeout.ms=15000
broker.heartbeat.interval.ms=1000
`;
}

/** Writes the cluster id and the first metadata into the empty log folder of the properties. */
export async function formatKafkaLogs(options: {
  readonly java: string;
  readonly toolFolder: string;
  readonly properties: string;
  readonly env: Environment;
  readonly run: RunCommand;
}): Promise<void> {
  const { java, toolFolder, properties, env, run } = options;
  const id = Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url');
  // An id that begins with a hyphen would be read as an option.
  const format = [
    'kafka.tools.StorageTool',
    'format',
    '--cluster-id',
    `I${id.slice(1)}`,
    '--config',
    properties,
  ];
  const { code, output } = await run(java, kafkaArguments(format), {
    env,
    cwd: toolFolder,
    timeoutMs: 60_000,
  });
  if (code !== 0) {
    throw new IngotError(
      'PART_UNREACHABLE',
      `Kafka's log folder cannot be formatted:\n${lastLines(output, 20)}`,
      {
        retryable: false,
        facts: { properties },
      },
    );
  }
}

/**
 * Starts the broker once, on free ports and with data that is thrown away, so that Java writes the
 * archive of its classes. Without the archive the broker works as well, only its start is slower;
 * therefore nothing here fails the install.
 */
export async function archiveKafkaClasses(setting: InstallSetting, java: string): Promise<void> {
  const { env, folder, logFile, run, signal } = setting;
  const scratch = join(folder, 'scratch');
  const properties = join(scratch, 'server.properties');
  const [port = 0, controllerPort = 0] = await freePorts(2);
  await mkdir(scratch);
  await writeFile(
    properties,
    kafkaProperties({ port, controllerPort, logs: join(scratch, 'logs') }),
  );
  try {
    await formatKafkaLogs({ java, toolFolder: folder, properties, env, run });
    const args = [
      `-XX:ArchiveClassesAtExit=${classArchive}`,
      ...quickStart,
      ...classPath,
      'kafka.Kafka',
      properties,
    ];
    const broker = await startDetached({ command: java, args, env, cwd: folder }, logFile);
    try {
      let alive = true;
      const listens = async (): Promise<boolean> => {
        alive = await isRunning(broker);
        return canConnect('127.0.0.1', port);
      };
      await waitUntil(listens, { limitMs: 60_000, signal, isHopeless: () => !alive });
    } finally {
      await stopProcess(broker, { graceMs: 30_000 });
    }
  } catch (error) {
    signal?.throwIfAborted();
    setting.note(`no class archive: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** What Maven fetches: the broker, and the logging that it is released with. */
export function kafkaPom(version: string): string {
  const dependencies = [
    ['org.apache.kafka', 'kafka_2.13', version],
    ['org.apache.kafka', 'kafka-server', version],
    ['org.apache.logging.log4j', 'log4j-slf4j-impl', '2.24.3'],
  ] as const;
  const lines = dependencies.map(
    ([group, artifact, each]) =>
      `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${each}</version></dependency>`,
  );
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>ingot</groupId>
  <artifactId>kafka</artifactId>
  <version>1</version>
  <dependencies>
    ${lines.join('\n    ')}
  </dependencies>
</project>
`;
}
