import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../../src/stack/commands.ts';
import { findJava, major } from '../../src/stack/java.ts';

describe('findJava', () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'ingot-java-'))));
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** A program that answers `-version` as a Java of that version does. */
  async function fakeJava(home: string, version: string): Promise<string> {
    await mkdir(join(folder, home, 'bin'), { recursive: true });
    const path = join(folder, home, 'bin', 'java');
    await writeFile(path, `#!/bin/sh\necho 'openjdk version "${version}" 2021-01-19' >&2\n`);
    await chmod(path, 0o755);
    return path;
  }

  it('takes the one of JAVA_HOME when it is new enough', async () => {
    const path = await fakeJava('home', '99.0.1');
    await fakeJava('path', '99');
    const env = {
      JAVA_HOME: join(folder, 'home'),
      PATH: `${join(folder, 'path/bin')}:/usr/bin:/bin`,
    };
    assert.deepEqual(await findJava({ env, run: runCommand }, 98), { path, version: '99.0.1' });
  });

  it('goes on to PATH when the one of JAVA_HOME is too old', async () => {
    await fakeJava('home', '1.8.0_292');
    const path = await fakeJava('path', '99');
    const env = {
      JAVA_HOME: join(folder, 'home'),
      PATH: `${join(folder, 'path/bin')}:/usr/bin:/bin`,
    };
    assert.deepEqual(await findJava({ env, run: runCommand }, 98), { path, version: '99' });
  });

  it('answers the newest that was seen when none is new enough', async () => {
    await fakeJava('home', '97.0.2');
    const env = { JAVA_HOME: join(folder, 'home'), PATH: '/usr/bin:/bin' };
    assert.equal((await findJava({ env, run: runCommand }, 98))?.version, '97.0.2');
  });
});

describe('major', () => {
  it('reads the old and the new way of numbering', () => {
    assert.deepEqual(['1.8.0', '11.0.2', '17', '25.0.1'].map(major), [8, 11, 17, 25]);
  });
});
