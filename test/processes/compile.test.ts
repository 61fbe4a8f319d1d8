import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { program } from '../../bin/compile.mjs';

describe('program', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ingot-compile-'));
    await mkdir(join(folder, 'src'));
    await writeFile(join(folder, 'package-lock.json'), '{}');
    await writeFile(join(folder, 'tsconfig.json'), '{}');
    // In parts, because these tests are compiled in the same way.
    const itself = ['import', 'meta', 'url'].join('.');
    const text = `import { word } from './word.ts';\nconsole.log(word, ${itself});\n`;
    await source('main', text);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const source = (name: string, text: string) => writeFile(join(folder, 'src', `${name}.ts`), text);
  const compiled = () => program(pathToFileURL(`${folder}/`), 'src/main.ts');
  const run = (args: readonly string[]) =>
    execFileSync(process.execPath, args, { encoding: 'utf8' }).trim();

  it('never runs sources as they were before a change', async () => {
    const main = pathToFileURL(join(folder, 'src/main.ts')).href;
    await source('word', "export const word: string = 'first';\n");
    const first = await compiled();
    assert.equal(run(first), `first ${main}`);
    assert.deepEqual(await compiled(), first, 'compiled once');

    await source('word', "export const word: string = 'second';\n");
    const second = await compiled();
    assert.equal(run(second), `second ${main}`);
    assert.equal(run(first), `first ${main}`, 'a process that began with it may load more of it');
  });

  it('is compiled by several at once', async () => {
    await source('word', "export const word: string = 'third';\n");
    const all = await Promise.all(Array.from({ length: 4 }, compiled));
    assert.equal(new Set(all.map(String)).size, 1);
    assert.match(run(all[0]!), /^third /);
  });
});
