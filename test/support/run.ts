import { spawn } from 'node:child_process';
import { availableParallelism, constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { createConsole } from '../../src/cli/console.ts';
import { stackReport } from '../../src/cli/stack-report.ts';
import type { Environment } from '../../src/config.ts';
import { messageOf } from '../../src/errors.ts';
import { planTests, type TestPlan } from './test-plan.ts';
import { withoutSettings } from './without-settings.ts';

/*
 * `npm test`: starts an isolated stack when a chosen test needs one, runs mocha as a child, stops
 * the stack whatever happens, and ends with mocha's code.
 */

const root = fileURLToPath(new URL('../..', import.meta.url));
const interruption = new AbortController();

async function main(): Promise<number> {
  const { stdout, stderr, env } = process;
  const console = createConsole({ stdout, stderr, env, now: () => performance.now() });
  const plan = planTests(root, process.argv.slice(2));
  if (plan.mode !== 'record-histories' && plan.files.length === 0) {
    console.say('There is no test to run.');
    return 1;
  }
  if (!plan.needsServers) {
    return runChild(plan, { ...withoutSettings(env), LOG_LEVEL: 'silent' });
  }
  const report = stackReport({ console, env });
  // What starts servers takes half a second to load, and unit tests need none.
  const { startTestStack } = await import('./test-stack.ts');
  const stack = await startTestStack({ env, report, signal: interruption.signal });
  try {
    const code = await runChild(plan, stack.env);
    // Mocha ends an interrupted run with the count of failures, which may be none.
    interruption.signal.throwIfAborted();
    return code;
  } finally {
    await console.step('Stopping the test stack', stack.stop);
  }
}

function runChild(plan: TestPlan, env: Environment): Promise<number> {
  interruption.signal.throwIfAborted();
  const child = spawn(process.execPath, childArguments(plan), { cwd: root, env, stdio: 'inherit' });
  // A terminal has sent Ctrl-C to the child as well; a supervisor has not.
  const forward = (): void => void (process.stdin.isTTY ? undefined : child.kill('SIGINT'));
  interruption.signal.addEventListener('abort', forward, { once: true });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      resolve(code ?? 128 + constants.signals[signal ?? 'SIGTERM']),
    );
  });
}

function childArguments({ mode, files, rest }: TestPlan): readonly string[] {
  if (mode === 'record-histories') {
    return ['--import', 'tsx', 'test/replay/record-histories.ts', ...rest];
  }
  return [
    'node_modules/mocha/bin/mocha.js',
    '--reporter',
    'test/support/reporter.cjs',
    ...inParallel(mode, files),
    ...rest,
    ...files,
  ];
}

/** Only unit tests: the others share the servers, and take turns with them. */
function inParallel(mode: TestPlan['mode'], files: readonly string[]): readonly string[] {
  if (mode !== 'unit' || files.length === 1) return [];
  return ['--parallel', '--jobs', String(availableParallelism())];
}

for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => interruption.abort(new Error(`interrupted by ${name}`)));
}
try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = interruption.signal.aborted ? 130 : 1;
}
