import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { posix } from 'node:path';
import { configSchema } from '../src/config.ts';
import { errorCodes } from '../src/errors.ts';
import { deadLetterReasons } from '../src/lake/placement.ts';
import {
  anchorsIn,
  codeIn,
  linksIn,
  readText,
  repositoryFiles,
  root,
} from './support/source-tree.ts';

/*
 * What the pages say of the repository is true of it. That docs/data-contract.md is what the code
 * says is tested in test/datasets/data-contract.test.ts.
 */

const files = repositoryFiles();
const pages = new Map(
  files.filter((file) => file.endsWith('.md')).map((file) => [file, readText(file)] as const),
);
const { scripts } = JSON.parse(readText('package.json')) as {
  readonly scripts: Readonly<Record<string, string>>;
};

describe('docs', () => {
  it('have no dead relative link', () => {
    const dead = [...pages].flatMap(([file, text]) =>
      linksIn(text)
        .filter((target) => !/^[a-z]+:/.test(target))
        .filter((target) => !leadsSomewhere(file, target))
        .map((target) => `${file}: ${target}`),
    );
    assert.deepEqual(dead, []);
  });

  it('name only commands that there are', () => {
    const verbs = new Set(
      files
        .filter((file) => /^src\/cli\/.*\.ts$/.test(file))
        .flatMap((file) => [...readText(file).matchAll(/\.command\('([a-z-]+)/g)])
        .map(([, verb]) => verb),
    );
    const unknown = [...pages].flatMap(([file, text]) =>
      codeIn(text).flatMap((line) => [
        ...[...line.matchAll(/\bnpm run ([\w:-]+)/g)]
          .filter(([, script = '']) => scripts[script] === undefined)
          .map(([command]) => `${file}: ${command}`),
        ...[...line.matchAll(/(?:^|npx |bin\/)ingot(?:\.mjs)? ([a-z-]+)/g)]
          .filter(([, verb]) => verb !== 'help' && !verbs.has(verb))
          .map(([command]) => `${file}: ${command}`),
      ]),
    );
    assert.deepEqual(unknown, []);
  });

  it('name only files and folders that there are', () => {
    const path = /^(src|sql|test|docs|bin|infra|bench)\/[\w./-]*$/;
    const missing = [...pages].flatMap(([file, text]) =>
      codeIn(text)
        .filter((span) => path.test(span) && !existsSync(new URL(span, root)))
        .map((span) => `${file}: ${span}`),
    );
    assert.deepEqual(missing, []);
  });

  it('name only settings, errors and reasons that there are', () => {
    const known = new Set<string>([
      ...Object.keys(configSchema.shape),
      ...errorCodes,
      ...deadLetterReasons,
      'NODE_EXTRA_CA_CERTS',
      'UV_THREADPOOL_SIZE',
      'INGOT_TEST_CASES',
    ]);
    const unknown = [...pages].flatMap(([file, text]) =>
      codeIn(text)
        .flatMap((line) => /^([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?:$|=)/.exec(line)?.[1] ?? [])
        .filter((name) => !known.has(name))
        .map((name) => `${file}: ${name}`),
    );
    assert.deepEqual(unknown, []);
  });

  it('show every folder of src/ in docs/architecture.md, and no other', () => {
    const tree = /^src\/\n((?: {2}.*\n)+)/m.exec(readText('docs/architecture.md'))?.[1] ?? '';
    const shown = [...tree.matchAll(/^ {2}([\w-]+)\/ /gm)].map(([, folder]) => folder);
    const folders = new Set(files.flatMap((file) => /^src\/([^/]+)\//.exec(file)?.[1] ?? []));
    assert.deepEqual(shown.sort(), [...folders].sort());
  });
});

function leadsSomewhere(file: string, target: string): boolean {
  const [path = '', anchor] = target.split('#');
  const found = path === '' ? file : posix.join(posix.dirname(file), path);
  if (!existsSync(new URL(found, root))) return false;
  return anchor === undefined || anchorsIn(readText(found)).includes(anchor);
}
