import assert from 'node:assert/strict';
import { envExample } from '../src/env-example.ts';
import {
  exportsOf,
  findCycles,
  importsOf,
  readText,
  repositoryFiles,
} from './support/source-tree.ts';

/*
 * The house rules that no linter checks. What each SQL file needs is checked where its cases run,
 * in test/sql/golden.test.ts; what the pages say, in test/docs.test.ts.
 */

const files = repositoryFiles();
const texts = new Map(
  files.filter((file) => !/\.(png|jpe?g|gif|ico|parquet|gz)$/.test(file)).map(withText),
);
/** The cases of source-tree.test.ts are imports themselves. */
const modules = new Map(
  [...without(texts, 'test/support/source-tree.test.ts')].filter(([file]) =>
    /^(src|test|bench)\/.*\.ts$/.test(file),
  ),
);
const sources = new Map([...modules].filter(([file]) => file.startsWith('src/')));
const manifest = JSON.parse(readText('package.json')) as {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
};

function withText(file: string): [string, string] {
  return [file, readText(file)];
}

function without(
  all: ReadonlyMap<string, string>,
  ...names: string[]
): ReadonlyMap<string, string> {
  return new Map([...all].filter(([file]) => !names.includes(file)));
}

/** Lines of the files that match, as `file:line: text`. */
function linesThat(match: (line: string) => boolean, among: ReadonlyMap<string, string>): string[] {
  return [...among].flatMap(([file, text]) =>
    text
      .split('\n')
      .flatMap((line, index) => (match(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [])),
  );
}

describe('package.json', () => {
  const versions = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });

  it('names every dependency with one exact version', () => {
    const loose = versions.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version));
    assert.deepEqual(loose, []);
  });

  it('has one version of everything of Temporal', () => {
    const temporal = versions.filter(([name]) => name.startsWith('@temporalio/'));
    assert.equal(new Set(temporal.map(([, version]) => version)).size, 1, temporal.join(' '));
  });
});

describe('package-lock.json', () => {
  it('names no registry, so that `npm ci` works with any', () => {
    assert.doesNotMatch(readText('package-lock.json'), /"resolved"/);
  });
});

describe('.env.example', () => {
  it('is made from the settings; `node --import tsx src/env-example.ts` writes it', () => {
    assert.equal(readText('.env.example'), envExample());
  });
});

describe('imports', () => {
  /*
   * What each folder of src/ may import beside itself. Workers, the command line, the producer, the
   * dashboard and the stack may import anything. ESLint forbids some of it again as one types.
   */
  const allowed: Readonly<Record<string, readonly string[]>> = {
    'errors.ts': [],
    'config.ts': ['errors.ts'],
    'env-example.ts': ['config.ts'],
    'ports.ts': ['lake'],
    lake: [],
    datasets: ['lake'],
    adapters: ['lake', 'ports.ts', 'errors.ts', 'config.ts'],
    activities: ['lake', 'ports.ts', 'errors.ts'],
    workflows: ['lake', 'activities'],
  };
  /** Of these only types: the code behind them is not theirs to call. */
  const onlyTypes: Readonly<Record<string, readonly string[]>> = {
    'ports.ts': ['lake'],
    adapters: ['config.ts', 'ports.ts'],
    activities: ['ports.ts'],
    workflows: ['activities'],
  };
  /** Programs that stand in a folder and wire it up; nobody imports them. */
  const programs = ['src/datasets/write-data-contract.ts'];
  const folderOf = (file: string): string => file.split('/')[1] ?? '';

  it('point one way between the folders of src/', () => {
    const wrong = [...sources].flatMap(([file, text]) => {
      const folder = folderOf(file);
      const mayImport = allowed[folder];
      if (mayImport === undefined || programs.includes(file)) return [];
      return importsOf(file, text).flatMap((imported) => {
        const target = folderOf(imported.file);
        if (target === folder) return [];
        const isAllowed =
          mayImport.includes(target) &&
          (imported.isTypeOnly || onlyTypes[folder]?.includes(target) !== true);
        return isAllowed ? [] : [`${file} imports ${imported.file}`];
      });
    });
    assert.deepEqual(wrong, []);
  });

  it('lead to files that exist', () => {
    const missing = [...modules].flatMap(([file, text]) =>
      importsOf(file, text)
        .filter((imported) => !files.includes(imported.file))
        .map((imported) => `${file} imports ${imported.file}`),
    );
    assert.deepEqual(missing, []);
  });

  it('have no cycle, not even of types: a reader would go round in it', () => {
    const graph = [...sources].map(
      ([file, text]) => [file, importsOf(file, text).map((imported) => imported.file)] as const,
    );
    assert.deepEqual(findCycles(new Map(graph)), []);
  });
});

describe('exports', () => {
  /** Found by name or by path, not by an import. */
  const foundOtherwise: Readonly<Record<string, string>> = {
    'src/workflows/index.ts': 'Temporal finds workflows by their names in the bundle',
  };

  it('of src/ are all imported by someone, or part of what is', () => {
    const used = new Set(
      [...modules].flatMap(([file, text]) =>
        importsOf(file, text).flatMap((imported) =>
          imported.names.map((name) => `${imported.file}#${name}`),
        ),
      ),
    );
    const dead = [...sources].flatMap(([file, text]) => {
      if (file in foundOtherwise || file.endsWith('.d.ts') || used.has(`${file}#*`)) return [];
      return exportsOf(text)
        .filter(({ name, isType }) => {
          // A type that its own module uses is part of what others see of that module.
          const isUsedHere =
            isType && (text.match(new RegExp(`\\b${name}\\b`, 'g')) ?? []).length > 1;
          return !used.has(`${file}#${name}`) && !isUsedHere;
        })
        .map(({ name }) => `${file}: ${name}`);
    });
    assert.deepEqual(dead, []);
  });
});

describe('files', () => {
  const linesMax = 300;

  it('of src/ and test/ have no more than 300 lines, or say why', () => {
    const long = [...texts]
      .filter(([file]) => /^(src|test)\/.*\.(ts|cjs|mjs|yaml)$/.test(file))
      .map(([file, text]) => ({ file, text, lines: text.split('\n').length - 1 }))
      .filter(({ lines }) => lines > linesMax)
      .filter(({ text }) => !/Longer than 300 lines because /.test(text.slice(0, 600)));
    assert.deepEqual(
      long.map(({ file, lines }) => `${file}: ${lines} lines`),
      [],
    );
  });

  it('of sql/ lie where the golden tests look for them', () => {
    const datasets = files.flatMap((file) => /^src\/datasets\/(\w+)\.ts$/.exec(file)?.[1] ?? []);
    const place = new RegExp(
      `^sql/(${datasets.join('|')})/(silver|gold|checks|queries)/[a-z][a-z0-9_]*\\.sql$`,
    );
    assert.deepEqual(
      files.filter((file) => file.startsWith('sql/') && !place.test(file)),
      [],
    );
  });

  it('skip no test and single none out', () => {
    const tests = new Map([...modules].filter(([file]) => file.startsWith('test/')));
    assert.deepEqual(
      linesThat(
        (line) => /\b(it|describe|context|specify)\.(skip|only)\(|\bx(it|describe)\(/.test(line),
        tests,
      ),
      [],
    );
  });

  it('put nothing off in a comment', () => {
    const marks = new RegExp(`\\b(${['FIX' + 'ME', 'TO' + 'DO', 'X' + 'XX'].join('|')})\\b`);
    assert.deepEqual(
      linesThat((line) => marks.test(line), texts),
      [],
    );
  });

  it('name no folder of one machine', () => {
    const folder = /(^|[^\w.~-])\/(root|home\/\w+|Users\/\w+|work)\//;
    assert.deepEqual(
      linesThat((line) => folder.test(line), texts),
      [],
    );
  });

  it('name no package registry', () => {
    const registry =
      /\b(registry\.[a-z]+\.[a-z]|pypi\.|proxy\.golang|repo1?\.maven|docker\.io|ghcr\.io|quay\.io|artifactory)/i;
    const others = without(texts, 'test/tidy.test.ts');
    assert.deepEqual(
      linesThat((line) => registry.test(line), others),
      [],
    );
  });

  it('lead to no host that everybody cannot reach', () => {
    const known = [
      '127.0.0.1',
      'docs.aws.amazon.com',
      'docs.temporal.io',
      'example.com',
      'github.com',
      'json-schema.org',
      'maven.apache.org',
      'temporal.example.com',
      'www.apache.org',
    ];
    // A name without a dot is a neighbour in a compose file; one that ends in a dot is made up later.
    const isOdd = (host: string): boolean => /\w\.\w/.test(host) && !known.includes(host);
    const namesOdd = (line: string): boolean =>
      [...line.matchAll(/https?:\/\/([A-Za-z0-9.-]+)/g)].some(([, host = '']) => isOdd(host));
    // The lock file names the hosts at which packages ask for money.
    assert.deepEqual(linesThat(namesOdd, without(texts, 'package-lock.json')), []);
  });
});
