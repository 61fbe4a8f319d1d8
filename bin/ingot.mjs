#!/usr/bin/env node
import { ensureDependencies, runEnvironment, runToEnd } from './bootstrap.mjs';
import { program } from './compile.mjs';

const root = new URL('../', import.meta.url);

await ensureDependencies(root);
const args = await program(root, 'src/cli/main.ts');
runToEnd(process.execPath, [...args, ...process.argv.slice(2)], { env: runEnvironment() });
