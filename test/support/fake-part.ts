import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig, type Config } from '../../src/config.ts';
import type { CommandResult, RunCommand } from '../../src/stack/commands.ts';
import { exists } from '../../src/stack/files.ts';
import { freePorts } from '../../src/stack/free-ports.ts';
import { toolsFolder, type Part } from '../../src/stack/parts.ts';
import type { Prerequisite } from '../../src/stack/prerequisites.ts';
import { stopStack } from '../../src/stack/stack.ts';

/** A part that is a small Node server; what a case varies is an argument. */
export type FakePartOptions = {
  readonly prerequisites?: readonly Prerequisite[];
  /** Whether an install is needed; it writes one file. */
  readonly installed?: boolean;
  /** The program, in place of a server that listens until SIGTERM. */
  readonly program?: string;
  readonly external?: string;
};

const server = `require('node:http').createServer((_, answer) => answer.end('ok')).listen(Number(process.env.PORT), '127.0.0.1')`;

export function fakePart(name: Part['name'], options: FakePartOptions = {}): Part {
  const portOf = (config: Config): number =>
    ({
      temporal: config.STACK_TEMPORAL_PORT,
      kafka: config.STACK_KAFKA_PORT,
      aws: config.STACK_AWS_PORT,
    })[name];
  const variable = `STACK_${name.toUpperCase()}_PORT`;
  const toolFolder = `fake-${name}`;
  return {
    name,
    title: `Fake ${name}`,
    services: [name],
    addressVariable: `${name.toUpperCase()}_ADDRESS`,
    toolFolder,
    ports: (config) => [{ port: portOf(config), variable }],
    externalAddress: () => options.external,
    localAddress: (config) => `http://127.0.0.1:${portOf(config)}`,
    isAnswering: async (config) =>
      fetch(`http://127.0.0.1:${portOf(config)}`).then(
        (response) => response.ok,
        () => false,
      ),
    findTool: async ({ config }) => {
      const path = join(toolsFolder(config), toolFolder);
      const found = options.installed !== false || (await exists(path));
      return found ? { path, from: 'cache' } : undefined;
    },
    prerequisites: async () => options.prerequisites ?? [],
    install: async ({ folder }) => writeFile(join(folder, 'program'), 'installed'),
    launch: async ({ config }) => ({
      command: process.execPath,
      args: ['-e', options.program ?? server],
      env: { PORT: String(portOf(config)) },
    }),
  };
}

export type Workplace = {
  readonly config: Config;
  readonly stop: (parts: readonly Part[]) => Promise<void>;
};

/** A configuration with free ports and a cache folder of its own. */
export async function openWorkplace(): Promise<Workplace> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-fake-'));
  const [temporal, kafka, aws] = await freePorts(3);
  const config = loadConfig({
    INGOT_CACHE_DIR: folder,
    STACK_TEMPORAL_PORT: String(temporal),
    STACK_KAFKA_PORT: String(kafka),
    STACK_AWS_PORT: String(aws),
  });
  return {
    config,
    stop: async (parts) => {
      await stopStack({ config, env: {}, parts, run: noDocker });
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A machine without Docker: every command is unknown. */
export const noDocker: RunCommand = async (command) => ({
  code: 127,
  output: `${command}: not found`,
});

/** Answers commands by how their line begins, and notes what was run. */
export function scriptedRunner(answers: Readonly<Record<string, CommandResult>>): {
  readonly run: RunCommand;
  readonly ran: string[];
} {
  const ran: string[] = [];
  return {
    ran,
    run: async (command, args) => {
      const line = [command, ...args].join(' ').replace(/--file \S+ /, '');
      ran.push(line);
      const found = Object.entries(answers).find(([beginning]) => line.startsWith(beginning));
      return found?.[1] ?? { code: 127, output: `${command}: not found` };
    },
  };
}
