#!/usr/bin/env node
import { ensureDependencies, runToEnd, typescript, typescriptEnvironment } from './bootstrap.mjs';

const root = new URL('../', import.meta.url);

await ensureDependencies(root);
runToEnd(process.execPath, [...typescript(root, 'test/support/run.ts'), ...process.argv.slice(2)], {
  env: typescriptEnvironment(root),
});
