import { join } from 'node:path';
import type { Config, Environment } from '../config.ts';
import type { RunCommand } from './commands.ts';
import type { Prerequisite } from './prerequisites.ts';

export const partNames = ['temporal', 'kafka', 'aws'] as const;

export type PartName = (typeof partNames)[number];

/** A port that a part listens on, and the variable that moves it elsewhere. */
export type PartPort = {
  readonly port: number;
  readonly variable: string;
};

/** The program of a part, as found on this machine: a binary or the folder of an install. */
export type Tool = {
  readonly path: string;
  readonly from: 'path' | 'cache';
};

/** What to start: one process that stays in the foreground and logs to its output. */
export type Launch = {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Environment;
  readonly cwd?: string;
};

export type PartSetting = {
  readonly config: Config;
  readonly env: Environment;
  readonly run: RunCommand;
  /** Tells a detail that only someone who looks into a problem wants to see. */
  readonly debug: (text: string) => void;
};

export type InstallSetting = PartSetting & {
  /** An empty folder that becomes the tool's folder once the install is whole. */
  readonly folder: string;
  readonly logFile: string;
  readonly signal: AbortSignal | undefined;
  readonly note: (text: string) => void;
};

export type LaunchSetting = PartSetting & {
  readonly tool: Tool;
  /** Where this part keeps its data; it exists. */
  readonly dataFolder: string;
  readonly logFile: string;
};

/** One part of the local stack: how it is found, installed, started, and known to be ready. */
export type Part = {
  readonly name: PartName;
  readonly title: string;
  /** The services of docker-compose.temporal.yml that stand for this part, the main one first. */
  readonly services: readonly [string, ...string[]];
  /** The setting that points this part somewhere else. */
  readonly addressVariable: string;
  /** Name and version of the tool's folder in the cache. */
  readonly toolFolder: string;
  readonly ports: (config: Config) => readonly PartPort[];
  /** The address given by the configuration, or undefined when the local stack is meant. */
  readonly externalAddress: (config: Config) => string | undefined;
  readonly localAddress: (config: Config) => string;
  /** Whether the local part answers a real request, not only a connection. Never throws. */
  readonly isAnswering: (config: Config) => Promise<boolean>;
  readonly findTool: (setting: PartSetting) => Promise<Tool | undefined>;
  /** What has to be on the machine to run the part, and, when `tool` is undefined, to install it. */
  readonly prerequisites: (
    setting: PartSetting,
    tool: Tool | undefined,
  ) => Promise<readonly Prerequisite[]>;
  readonly install: (setting: InstallSetting) => Promise<void>;
  readonly launch: (setting: LaunchSetting) => Promise<Launch>;
};

/** A part that is up, and how that came. */
export type StackPart = {
  readonly name: PartName;
  readonly title: string;
  /**
   * external: the configuration names it. running: an earlier call started it. container: it is a
   * service of docker-compose.temporal.yml. started: this call started it.
   */
  readonly how: 'external' | 'running' | 'container' | 'started';
  readonly address: string;
  readonly pid?: number;
};

/** Folder of downloaded and built programs, shared by every stack of this user. */
export function toolsFolder(config: Config): string {
  return join(config.INGOT_CACHE_DIR, 'tools');
}

/**
 * Folder of one stack's data, logs and process records. It is named by the ports, so that two
 * checkouts that use different ports keep different data.
 */
export function stackFolder(config: Config, dataDirectory?: string): string {
  const name = `${config.STACK_TEMPORAL_PORT}-${config.STACK_KAFKA_PORT}-${config.STACK_AWS_PORT}`;
  return dataDirectory ?? join(config.INGOT_CACHE_DIR, 'stack', name);
}

export function dataFolder(stack: string, part: PartName): string {
  return join(stack, part);
}

export function logFile(stack: string, part: PartName): string {
  return join(stack, 'logs', `${part}.log`);
}
