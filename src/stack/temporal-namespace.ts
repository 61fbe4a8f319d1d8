import type { Connection } from '@temporalio/client';
import { IngotError, messageOf } from '../errors.ts';
import { searchAttributeNames } from '../lake/messages.ts';
import { waitUntil } from './wait-until.ts';

export type EnsureNamespaceOptions = {
  readonly connection: Connection;
  readonly namespace: string;
  /** How long closed workflows can be looked at. Used only when the namespace is created. */
  readonly retentionDays?: number;
  readonly usableLimitMs?: number;
};

export type EnsuredNamespace = {
  readonly created: boolean;
  readonly attributesAdded: readonly string[];
};

/** `INDEXED_VALUE_TYPE_KEYWORD` of Temporal's interface. */
const keyword = 2;
const notFound = 5;
const alreadyExists = 6;
/** Not found: the namespace is not known yet. Invalid argument: an attribute is not. */
const notYet: readonly unknown[] = [notFound, 3];
/** Servers refresh what they know of namespaces and attributes once a minute at the slowest. */
const usableByDefaultMs = 90_000;

/**
 * Makes the namespace and its search attributes usable, whatever server the connection leads to. A
 * namespace that exists keeps its settings; only missing attributes are added. Returns when a query
 * by every attribute is accepted, which is when a workflow can be started with them.
 */
export async function ensureTemporalNamespace(
  options: EnsureNamespaceOptions,
): Promise<EnsuredNamespace> {
  const created = await createIfMissing(options);
  const attributesAdded = await addMissingAttributes(options);
  await waitUntilUsable(options);
  return { created, attributesAdded };
}

/**
 * Creates first and asks afterwards. Measured on the dev server: a new namespace is usable at once,
 * but one that was asked for before it existed, even with `describeNamespace`, only a second later.
 */
async function createIfMissing(options: EnsureNamespaceOptions): Promise<boolean> {
  const { connection, namespace, retentionDays = 7 } = options;
  const { msToTs } = await import('@temporalio/common/lib/time.js');
  try {
    await connection.workflowService.registerNamespace({
      namespace,
      description: 'Ingot, an event lakehouse',
      workflowExecutionRetentionPeriod: msToTs(`${retentionDays} days`),
    });
    return true;
  } catch (error) {
    // One may lack the right to create namespaces and still have this one.
    if (grpcCode(error) === alreadyExists || (await namespaceExists(options))) {
      return false;
    }
    throw unfit(
      `does not exist and cannot be created from here: ${messageOf(error)}`,
      namespace,
      error,
    );
  }
}

async function namespaceExists({
  connection,
  namespace,
}: EnsureNamespaceOptions): Promise<boolean> {
  return connection.workflowService.describeNamespace({ namespace }).then(
    () => true,
    () => false,
  );
}

async function addMissingAttributes(options: EnsureNamespaceOptions): Promise<readonly string[]> {
  const { connection, namespace } = options;
  const customAttributes = await listAttributes(options);
  // Temporal takes a second registration under another type without a word, and keeps the first.
  const wrong = searchAttributeNames.filter(
    (name) => (customAttributes[name] ?? keyword) !== keyword,
  );
  if (wrong.length > 0) {
    throw unfit(
      `has search attributes that are not of type Keyword: ${wrong.join(', ')}`,
      namespace,
    );
  }
  const missing = searchAttributeNames.filter((name) => customAttributes[name] === undefined);
  if (missing.length > 0) {
    try {
      await connection.operatorService.addSearchAttributes({
        namespace,
        searchAttributes: Object.fromEntries(missing.map((name) => [name, keyword])),
      });
    } catch (error) {
      const names = missing.map((name) => `${name} (Keyword)`).join(', ');
      const why = messageOf(error);
      throw unfit(
        `lacks search attributes that cannot be added from here; add ${names}: ${why}`,
        namespace,
        error,
      );
    }
  }
  return missing;
}

async function listAttributes(
  options: EnsureNamespaceOptions,
): Promise<Readonly<Record<string, number>>> {
  const { connection, namespace } = options;
  let found: Readonly<Record<string, number>> = {};
  await untilAccepted(options, async () => {
    found = (await connection.operatorService.listSearchAttributes({ namespace })).customAttributes;
  });
  return found;
}

async function waitUntilUsable(options: EnsureNamespaceOptions): Promise<void> {
  const { connection, namespace } = options;
  const query = searchAttributeNames.map((name) => `${name} = 'none'`).join(' AND ');
  await untilAccepted(options, async () => {
    await connection.workflowService.listWorkflowExecutions({ namespace, query, pageSize: 1 });
  });
}

/** Repeats a request that the server refuses until it has taken note of what was just made. */
async function untilAccepted(
  options: EnsureNamespaceOptions,
  request: () => Promise<void>,
): Promise<void> {
  const { namespace, usableLimitMs = usableByDefaultMs } = options;
  let last: unknown;
  const accepted = async (): Promise<boolean> =>
    request().then(
      () => true,
      (error: unknown) => {
        if (!notYet.includes(grpcCode(error))) {
          throw unfit(`cannot be used: ${messageOf(error)}`, namespace, error);
        }
        last = error;
        return false;
      },
    );
  if (!(await waitUntil(accepted, { limitMs: usableLimitMs, everyMs: 50 }))) {
    throw unfit(
      `is not usable after ${usableLimitMs / 1_000} seconds: ${messageOf(last)}`,
      namespace,
      last,
    );
  }
}

function unfit(sentence: string, namespace: string, cause?: unknown): IngotError {
  return new IngotError('PART_UNREACHABLE', `the Temporal namespace ${sentence}`, {
    retryable: true,
    facts: { namespace },
    cause,
  });
}

function grpcCode(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
