import assert from 'node:assert/strict';
import {
  anchorsIn,
  codeIn,
  exportsOf,
  findCycles,
  importsOf,
  linksIn,
  repositoryFiles,
} from './source-tree.ts';

describe('importsOf', () => {
  const cases: readonly (readonly [claim: string, text: string, expected: object[]])[] = [
    [
      'reads names as the other module calls them',
      "import { a, b as c } from './b.ts';",
      [{ file: 'src/lake/b.ts', names: ['a', 'b'], isTypeOnly: false }],
    ],
    [
      'tells an import of types only, in both spellings',
      "import type { A } from '../b.ts';\nimport { type B, type C } from '../c.ts';",
      [
        { file: 'src/b.ts', names: ['A'], isTypeOnly: true },
        { file: 'src/c.ts', names: ['B', 'C'], isTypeOnly: true },
      ],
    ],
    [
      'takes one value among types for an import of values',
      "import { type A, b } from './b.ts';",
      [{ file: 'src/lake/b.ts', names: ['A', 'b'], isTypeOnly: false }],
    ],
    [
      'reads an import of several lines',
      "import {\n  a,\n  b,\n} from './b.ts';",
      [{ file: 'src/lake/b.ts', names: ['a', 'b'], isTypeOnly: false }],
    ],
    [
      'reads re-exports and whole modules',
      "export { a } from './b.ts';\nexport * from './c.ts';\nimport './d.ts';",
      [
        { file: 'src/lake/b.ts', names: ['a'], isTypeOnly: false },
        { file: 'src/lake/c.ts', names: ['*'], isTypeOnly: false },
        { file: 'src/lake/d.ts', names: [], isTypeOnly: false },
      ],
    ],
    [
      'reads imports on use',
      "function f() {\n  const { a, b: c } = await import('./b.ts');\n}\nconst d = await import('./d.ts');",
      [
        { file: 'src/lake/b.ts', names: ['a', 'b'], isTypeOnly: false },
        { file: 'src/lake/d.ts', names: ['*'], isTypeOnly: false },
      ],
    ],
    [
      'reads a type that is imported where it stands',
      "let a: import('./b.ts').A;",
      [{ file: 'src/lake/b.ts', names: ['A'], isTypeOnly: true }],
    ],
    ['leaves packages and Node out', "import { z } from 'zod';\nimport 'node:fs';", []],
  ];
  for (const [claim, text, expected] of cases) {
    it(claim, () => assert.deepEqual(importsOf('src/lake/a.ts', text), expected));
  }
});

describe('exportsOf', () => {
  it('tells values from types', () => {
    const text =
      'export async function a(): Promise<void> {}\nexport const b = 1;\nexport type C = 1;\n' +
      "export interface D {}\nexport class E {}\nexport { f, g as h } from './f.ts';\n" +
      "export type { I } from './i.ts';\nfunction hidden() {}";
    assert.deepEqual(
      exportsOf(text).map(({ name, isType }) => `${isType ? 'type ' : ''}${name}`),
      ['a', 'b', 'type C', 'type D', 'E', 'f', 'h', 'type I'],
    );
  });
});

describe('findCycles', () => {
  it('answers the path of each cycle', () => {
    const graph = new Map([
      ['a', ['b']],
      ['b', ['c', 'd']],
      ['c', []],
      ['d', ['b', 'd']],
    ]);
    assert.deepEqual(findCycles(graph), [
      ['b', 'd', 'b'],
      ['d', 'd'],
    ]);
  });

  it('takes two ways to one node for no cycle', () => {
    const graph = new Map([
      ['a', ['b', 'c']],
      ['b', ['d']],
      ['c', ['d']],
      ['d', []],
    ]);
    assert.deepEqual(findCycles(graph), []);
  });
});

describe('markdown', () => {
  const page = [
    '# One `two`: three!',
    'See [a](docs/a.md#top) and `ingot up`, not `[b](b.md)`.',
    '```sh',
    'npm test # [c](c.md)',
    '# no heading',
    '```',
  ].join('\n');

  it('has code in backticks and in blocks', () => {
    assert.deepEqual(codeIn(page), [
      'two',
      'ingot up',
      '[b](b.md)',
      'npm test # [c](c.md)',
      '# no heading',
      '',
    ]);
  });

  it('has links outside code only', () => {
    assert.deepEqual(linksIn(page), ['docs/a.md#top']);
  });

  it('has anchors as GitHub makes them', () => {
    assert.deepEqual(anchorsIn(page), ['one-two-three']);
  });
});

describe('repositoryFiles', () => {
  it('are the files that are ours', () => {
    const files = repositoryFiles();
    assert.ok(files.includes('test/support/source-tree.ts'));
    assert.ok(files.includes('package.json'));
    assert.equal(
      files.some((file) => file.includes('node_modules/') || file.startsWith('.git/')),
      false,
    );
  });
});
