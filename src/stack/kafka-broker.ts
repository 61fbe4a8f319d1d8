import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import type { Config } from '../config.ts';
import { IngotError } from '../errors.ts';
import { findOnPath } from './commands.ts';
import { exists } from './files.ts';
import { runInstallStep } from './install.ts';
import { findJava, javaEnvironment, major } from './java.ts';
import {
  archiveKafkaClasses,
  formatKafkaLogs,
  kafkaArguments,
  kafkaPom,
  kafkaProperties,
} from './kafka-files.ts';
import type { InstallSetting, Launch, LaunchSetting, Part, PartSetting, Tool } from './parts.ts';
import { toolsFolder } from './parts.ts';
import type { Prerequisite } from './prerequisites.ts';

const version = '4.1.0';
const javaMajorMin = 17;

/** The real broker of Apache Kafka, one node that is its own controller (KRaft). */
export const kafkaBroker: Part = {
  name: 'kafka',
  title: 'Kafka',
  services: ['kafka'],
  addressVariable: 'KAFKA_BROKERS',
  toolFolder: `kafka-${version}`,
  ports: (config) => [
    { port: config.STACK_KAFKA_PORT, variable: 'STACK_KAFKA_PORT' },
    { port: config.STACK_KAFKA_CONTROLLER_PORT, variable: 'STACK_KAFKA_CONTROLLER_PORT' },
  ],
  externalAddress: (config) => config.KAFKA_BROKERS,
  localAddress: (config) => `127.0.0.1:${config.STACK_KAFKA_PORT}`,
  isAnswering,
  findTool,
  prerequisites,
  install,
  launch,
};

async function isAnswering(config: Config): Promise<boolean> {
  const kafka = new Kafka({
    clientId: 'ingot-stack',
    brokers: [kafkaBroker.localAddress(config)],
    connectionTimeout: 1_000,
    requestTimeout: 2_000,
    retry: { retries: 0 },
    logLevel: logLevel.NOTHING,
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    return (await admin.describeCluster()).brokers.length > 0;
  } catch {
    return false;
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

async function findTool({ config }: PartSetting): Promise<Tool | undefined> {
  const path = join(toolsFolder(config), kafkaBroker.toolFolder);
  return (await exists(join(path, 'libs'))) ? { path, from: 'cache' } : undefined;
}

async function prerequisites(
  setting: PartSetting,
  tool: Tool | undefined,
): Promise<readonly Prerequisite[]> {
  const java = await findJava(setting, javaMajorMin);
  const needed: Prerequisite = {
    name: `Java ${javaMajorMin} or newer`,
    neededTo: 'run the Kafka broker',
    present: java !== undefined && major(java.version) >= javaMajorMin,
    ...(java === undefined ? {} : { found: java.version }),
  };
  if (tool !== undefined) {
    return [needed];
  }
  const maven = (await findOnPath('mvn', setting.env)) !== undefined;
  return [needed, { name: 'Maven (mvn)', neededTo: 'fetch the Kafka broker', present: maven }];
}

async function install(setting: InstallSetting): Promise<void> {
  setting.note('fetching with Maven');
  const java = await requireJava(setting);
  await writeFile(join(setting.folder, 'pom.xml'), kafkaPom(version));
  await runInstallStep({ ...setting, env: javaEnvironment(java, setting.env) }, 'mvn', [
    '-q',
    '-B',
    'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies',
    `-DoutputDirectory=${join(setting.folder, 'libs')}`,
  ]);
  setting.note('preparing for a quick start');
  await archiveKafkaClasses(setting, java.path);
}

async function launch(setting: LaunchSetting): Promise<Launch> {
  const { config, dataFolder, env, run, tool } = setting;
  const java = await requireJava(setting);
  const properties = join(dataFolder, 'server.properties');
  const logs = join(dataFolder, 'logs');
  const ports = {
    port: config.STACK_KAFKA_PORT,
    controllerPort: config.STACK_KAFKA_CONTROLLER_PORT,
  };
  await writeFile(properties, kafkaProperties({ ...ports, logs }));
  if (!(await exists(join(logs, 'meta.properties')))) {
    await formatKafkaLogs({ java: java.path, toolFolder: tool.path, properties, env, run });
  }
  return {
    command: java.path,
    args: kafkaArguments(['kafka.Kafka', properties]),
    env: { PATH: env['PATH'], HOME: env['HOME'] },
    cwd: tool.path,
  };
}

async function requireJava(setting: PartSetting): Promise<{ path: string; version: string }> {
  const java = await findJava(setting, javaMajorMin);
  if (java === undefined) {
    throw new IngotError(
      'PREREQUISITE_MISSING',
      `Java ${javaMajorMin} or newer is needed to run the Kafka broker`,
      {
        retryable: false,
      },
    );
  }
  return java;
}
