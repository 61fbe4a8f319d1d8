import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

type Packages = Readonly<Record<string, object>>;

describe('isInstalled', () => {
  let isInstalled: (root: URL) => boolean;
  let folder: string;
  before(async () => {
    // Plain JavaScript, because it runs before any package is there.
    const bootstrap = new URL('../../bin/bootstrap.mjs', import.meta.url).href;
    ({ isInstalled } = (await import(bootstrap)) as { isInstalled: typeof isInstalled });
  });
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'ingot-bootstrap-'))));
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const wanted = {
    '': { name: 'ingot' },
    'node_modules/a': { version: '1.0.0' },
    'node_modules/b-darwin': { version: '1.0.0', optional: true },
  };

  async function installed(packages: Packages | undefined): Promise<boolean> {
    await writeFile(join(folder, 'package-lock.json'), JSON.stringify({ packages: wanted }));
    if (packages !== undefined) {
      await mkdir(join(folder, 'node_modules'));
      await writeFile(
        join(folder, 'node_modules/.package-lock.json'),
        JSON.stringify({ packages }),
      );
    }
    return isInstalled(pathToFileURL(`${folder}/`));
  }

  it('is false before the first install', async () => {
    assert.equal(await installed(undefined), false);
  });

  it('is true when every package is there, whatever the times of the files', async () => {
    assert.equal(await installed({ 'node_modules/a': { version: '1.0.0' } }), true);
  });

  it('is false when a package has another version', async () => {
    assert.equal(await installed({ 'node_modules/a': { version: '0.9.0' } }), false);
  });

  it('is false when a package that is not optional is missing', async () => {
    assert.equal(await installed({ 'node_modules/b-darwin': { version: '1.0.0' } }), false);
  });
});
