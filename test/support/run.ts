import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { createConsole } from '../../src/cli/console.ts';
import { stackReport } from '../../src/cli/stack-report.ts';
import type { Environment } from '../../src/config.ts';
import { messageOf } from '../../src/errors.ts';
import { compileTests } from './compiled-tests.ts';
import { planTests, type TestPlan } from './test-plan.ts';
import { withoutSettings } from './without-settings.ts';

/*
 * `npm test`: starts an isolated stack when a chosen test needs one, runs mocha as a child, stops
 * the stack whatever happens, and ends with mocha's code.
 */

/** `unit` is for an answer at once: searches through random cases try a part of them. */
const quickly = { INGOT_TEST_CASES: '0.1' };

const root = fileURLToPath(new URL('../..', import.meta.url));
const interruption = new AbortController();

async function main(): Promise<number> {
  const { stdout, stderr, env } = process;
  const console = createConsole({ stdout, stderr, env, now: () => performance.now() });
  const plan = planTests(root, process.argv.slice(2), availableParallelism());
  if (plan.mode !== 'record-histories' && plan.files.length === 0) {
    console.say('There is no test to run.');
    return 1;
  }
  if (plan.jobs > 1) {
    const { length } = plan.files;
    console.say(`${length} test files, ${plan.jobs} at once; each is shown when it has ended`);
  }
  if (!plan.needsServers) {
    const unit = plan.mode === 'unit' ? quickly : {};
    return runPlan(plan, { ...unit, ...withoutSettings(env), LOG_LEVEL: 'silent' });
  }
  const report = stackReport({ console, env });
  // What starts servers takes half a second to load, and unit tests need none.
  const { startTestStack } = await import('./test-stack.ts');
  const stack = await startTestStack({ env, report, signal: interruption.signal });
  try {
    const code = await runPlan(plan, stack.env);
    // Mocha ends an interrupted run with the count of failures, which may be none.
    interruption.signal.throwIfAborted();
    return code;
  } finally {
    await console.step('Stopping the test stack', stack.stop);
  }
}

async function runPlan(plan: TestPlan, env: Environment): Promise<number> {
  const { mode, files, jobs, rest } = plan;
  if (mode === 'record-histories') {
    return runChild(['--import', 'tsx', 'test/replay/record-histories.ts', ...rest], env);
  }
  const compiled = await compileTests(root, files);
  try {
    return await runChild(
      [
        '--enable-source-maps',
        // Tests leave much behind at once: collecting it less often is a tenth of their time.
        '--max-semi-space-size=64',
        'node_modules/mocha/bin/mocha.js',
        ...withoutLoader(),
        '--require',
        'test/support/default-cases.cjs',
        '--reporter',
        'test/support/reporter.cjs',
        ...(jobs > 1 ? ['--parallel', '--jobs', String(jobs)] : []),
        ...rest,
        ...compiled.files,
      ],
      env,
    );
  } finally {
    await compiled.remove();
  }
}

function runChild(args: readonly string[], env: Environment): Promise<number> {
  interruption.signal.throwIfAborted();
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: 'inherit' });
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

/** The settings of `.mocharc.json`, which is for `npx mocha <file>`, where tsx loads TypeScript. */
function withoutLoader(): readonly string[] {
  const text = readFileSync(new URL('../../.mocharc.json', import.meta.url), 'utf8');
  const { timeout } = JSON.parse(text) as { timeout: number };
  return ['--no-config', '--forbid-only', '--timeout', String(timeout)];
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
