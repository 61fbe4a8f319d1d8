import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { clearInterval, setInterval } from 'node:timers';
import { fileURLToPath } from 'node:url';

const nodeMin = [20, 19];

/**
 * Makes the packages of package-lock.json present before anything that needs them is loaded, which
 * is why this file uses nothing but Node. Exits with 2 when Node is too old, with 1 when npm fails.
 */
export async function ensureDependencies(rootUrl) {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < nodeMin[0] || (major === nodeMin[0] && minor < nodeMin[1])) {
    console.error(
      `Ingot needs Node ${nodeMin.join('.')} or newer; this is ${process.versions.node}.`,
    );
    process.exit(2);
  }
  if (isInstalled(rootUrl)) {
    return;
  }
  const result = await npmCi(rootUrl);
  if (result.code !== 0) {
    console.error(result.output.trimEnd());
    console.error('\nIngot: `npm ci` failed, so the packages that it needs are missing.');
    process.exit(1);
  }
}

/**
 * Whether node_modules holds what the lock file asks for. npm keeps a lock file of what it has
 * installed; comparing versions, not times, survives a checkout that touches every file.
 */
export function isInstalled(rootUrl) {
  const wanted = readPackages(new URL('package-lock.json', rootUrl));
  const present = readPackages(new URL('node_modules/.package-lock.json', rootUrl));
  if (wanted === undefined || present === undefined) {
    return false;
  }
  const mayBeAbsent = (entry) =>
    entry.optional === true ||
    entry.devOptional === true ||
    entry.peer === true ||
    (entry.dev === true && process.env.NODE_ENV === 'production');
  return Object.entries(wanted).every(
    ([path, entry]) =>
      path === '' ||
      (present[path] === undefined ? mayBeAbsent(entry) : present[path].version === entry.version),
  );
}

/** Runs the command with the terminal of this one, passes signals on, and ends with its code. */
export function runToEnd(command, args, options) {
  const child = spawn(command, args, { stdio: 'inherit', ...options });
  for (const name of ['SIGINT', 'SIGTERM']) {
    process.on(name, () => {
      // A terminal sends Ctrl-C to the child as well; passing it on would make it two.
      if (name === 'SIGTERM' || !process.stdin.isTTY) {
        child.kill(name);
      }
    });
  }
  child.on('error', (error) => {
    console.error(`Ingot: ${command} cannot be started: ${error.message}`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)));
}

/** The environment of a command of this project. */
export function runEnvironment(env = process.env) {
  return {
    ...env,
    // Each statement of the engine has a thread of this pool for as long as it runs. Of the usual four
    // none might be left for files and the names of hosts.
    UV_THREADPOOL_SIZE: env.UV_THREADPOOL_SIZE || '16',
    // The SDK's notice that it drops Node 20 in 2027 is for us, not for who runs a command.
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  };
}

async function npmCi(rootUrl) {
  const began = performance.now();
  const seconds = () => `${Math.round((performance.now() - began) / 1_000)} s`;
  const live = process.stderr.isTTY === true;
  const show = () => live && process.stderr.write(`\rInstalling packages (once) ${seconds()} `);
  if (!live) {
    console.error('Installing packages (once)');
  }
  const timer = setInterval(show, 1_000);
  const result = await collect(rootUrl);
  clearInterval(timer);
  const outcome = result.code === 0 ? 'Packages installed' : 'Packages not installed';
  process.stderr.write(`${live ? '\r\u001b[K' : ''}${outcome} (${seconds()})\n`);
  return result;
}

function collect(rootUrl) {
  return new Promise((resolve) => {
    let output = '';
    const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
    const child = spawn('npm', args, {
      cwd: fileURLToPath(rootUrl),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const take = (chunk) => (output += chunk);
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', (error) =>
      resolve({ code: 1, output: `npm cannot be started: ${error.message}` }),
    );
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

function readPackages(url) {
  try {
    return JSON.parse(readFileSync(url, 'utf8')).packages;
  } catch {
    // Absent or cut short: both mean that an install has to run.
    return undefined;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await ensureDependencies(new URL('../', import.meta.url));
}
