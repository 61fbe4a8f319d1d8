#!/usr/bin/env node
import { fileURLToPath } from 'node:url';
import { ensureDependencies, runEnvironment, runToEnd } from './bootstrap.mjs';

const root = new URL('../', import.meta.url);

await ensureDependencies(root);
const run = fileURLToPath(new URL('test/support/run.ts', root));
const args = ['--import', import.meta.resolve('tsx'), run, ...process.argv.slice(2)];
// tsx would take the tsconfig.json of the folder that the user is in.
const tsconfig = { TSX_TSCONFIG_PATH: fileURLToPath(new URL('tsconfig.json', root)) };
runToEnd(process.execPath, args, { env: { ...runEnvironment(), ...tsconfig } });
