import { createGlueClient, createS3Client } from '../adapters/aws-clients.ts';
import { createKafka, withAdmin } from '../adapters/kafka-client.ts';
import { cleanNamespace } from '../adapters/namespace-cleanup.ts';
import type { Config } from '../config.ts';
import { messageOf } from '../errors.ts';
import { ensureStack, stopStack } from '../stack/stack.ts';
import { connectTemporal } from '../stack/temporal-connection.ts';
import { stopWorkerProcesses } from '../stack/worker-processes.ts';
import { silentLogger } from '../workers/logger.ts';
import type { CliContext } from './context.ts';
import { demoTopic, forgetDemo, isDemoRunId } from './demo-settings.ts';
import { stackReport } from './stack-report.ts';

/* Removes what earlier demo runs left: namespaces, topics, buckets and databases named demo…. */

export async function cleanDemos(context: CliContext): Promise<void> {
  const config = context.loadConfig();
  const signal = context.interruption();
  const report = stackReport(context);
  const stack = await ensureStack({ config, env: context.env, signal, report });
  try {
    const ids = await listDemoIds(config);
    for (const id of ids) {
      await context.console.step(`Removing ${id}`, () => cleanDemo(config, id));
    }
    await forgetDemo(config);
    context.console.say(
      ids.length === 0 ? 'There is nothing to remove.' : `${ids.length} removed.`,
    );
  } finally {
    await stopStack({ config, env: context.env, report, only: stack.startedHere });
  }
}

/**
 * A run is known by its Temporal namespace: it is the first thing that a run makes. Only ids that
 * hold the time of a run count, so that nobody's own `demo…` namespace is taken for one.
 */
async function listDemoIds(config: Config): Promise<readonly string[]> {
  const connection = await connectTemporal(config, 10_000);
  try {
    const { namespaces } = await connection.workflowService.listNamespaces({ pageSize: 1_000 });
    return (namespaces ?? [])
      .map(({ namespaceInfo }) => namespaceInfo?.name ?? '')
      .filter((name) => name.startsWith('ingot-'))
      .map((name) => name.slice('ingot-'.length))
      .filter((id) => isDemoRunId(id, Date.now()));
  } finally {
    await connection.close();
  }
}

/** The namespace goes last: until then a clean that was interrupted finds the run again. */
async function cleanDemo(config: Config, id: string): Promise<void> {
  await stopWorkerProcesses(config, id);
  await cleanNamespace({ glue: createGlueClient(config), s3: createS3Client(config), id });
  await withAdmin(createKafka(config, silentLogger), async (admin) => {
    const topics = await admin.listTopics();
    const mine = topics.filter((topic) => topic === demoTopic(id));
    if (mine.length > 0) await admin.deleteTopics({ topics: mine });
  });
  const connection = await connectTemporal(config, 10_000);
  try {
    await connection.operatorService.deleteNamespace({ namespace: `ingot-${id}` });
  } catch (error) {
    throw new Error(`namespace ingot-${id} was not deleted: ${messageOf(error)}`, { cause: error });
  } finally {
    await connection.close();
  }
}
