import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Config, type Environment, loadConfig } from '../config.ts';
import { stackFolder } from '../stack/parts.ts';

/* Each demo run lives in a namespace of its own, so that it counts only itself. */

const demoIdPrefix = 'demo';

/** Settings of a demo run: an own id and topic, and the quick rhythm that a newcomer waits for. */
export function demoEnvironment(env: Environment, runId: string): Environment {
  return {
    ...env,
    INGOT_ID: runId,
    KAFKA_TOPICS: demoTopic(runId),
    TEMPORAL_NAMESPACE: '',
    LAKE_BUCKET: '',
    GOLD_REFRESH: 'follow',
    FOLD_SECONDS: '3',
    INGEST_FLUSH_MS: '500',
    INGEST_FLUSH_IDLE_MS: '1000',
    INGEST_SLICE_SECONDS: '10',
    BUILDS_MAX: '4',
    LOG_LEVEL: env['LOG_LEVEL'] ?? 'warn',
    LOG_FORMAT: 'json',
  };
}

/** First run that there can be; an id of a person's own choice is no such time. */
const firstRunMs = Date.UTC(2026, 0, 1);

/** Whether an id is one that `demoRunId` made, up to now. */
export function isDemoRunId(id: string, nowMs: number): boolean {
  if (!/^demo[0-9a-z]{8}$/.test(id)) return false;
  const ms = Number.parseInt(id.slice(demoIdPrefix.length), 36);
  return ms >= firstRunMs && ms <= nowMs;
}

export function demoTopic(runId: string): string {
  return `ecommerce-${runId}`;
}

/** `demo` and the time in base 36: new on every run, sorted by age, at most 24 characters. */
export function demoRunId(nowMs: number): string {
  return `${demoIdPrefix}${nowMs.toString(36)}`;
}

/** Remembers the run whose stack was left up, so that `ingot query` finds it without a setting. */
export async function rememberDemo(config: Config, env: Environment): Promise<void> {
  const kept = Object.fromEntries(
    ['INGOT_ID', 'KAFKA_TOPICS'].map((name) => [name, env[name] ?? '']),
  );
  await mkdir(dirname(demoFile(config)), { recursive: true });
  await writeFile(demoFile(config), JSON.stringify(kept));
}

/** Settings of the run that was kept last; empty when there is none or it was stopped since. */
async function recallDemo(config: Config): Promise<Environment> {
  try {
    return JSON.parse(await readFile(demoFile(config), 'utf8')) as Environment;
  } catch {
    // Nothing was kept: the settings alone decide.
    return {};
  }
}

/** After `ingot down` and `--clean` there is no kept run any more. */
export async function forgetDemo(config: Config): Promise<void> {
  await rm(demoFile(config), { force: true });
}

/** The configuration for asking: the kept demo's, unless the environment names an id. */
export async function configForAsking(
  env: Environment,
): Promise<{ readonly config: Config; readonly demo: string | null }> {
  const config = loadConfig(env);
  if ((env['INGOT_ID'] ?? '') !== '') return { config, demo: null };
  const kept = await recallDemo(config);
  if (kept['INGOT_ID'] === undefined) return { config, demo: null };
  return { config: loadConfig({ ...env, ...kept }), demo: kept['INGOT_ID'] };
}

function demoFile(config: Config): string {
  return join(stackFolder(config), 'demo.json');
}
