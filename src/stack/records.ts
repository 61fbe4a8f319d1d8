import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { PartName } from './parts.ts';

const startedProcess = z.object({
  kind: z.literal('process'),
  pid: z.number().int().positive(),
  began: z.string(),
});
const startedContainer = z.object({ kind: z.literal('container') });
const startedRecord = z.discriminatedUnion('kind', [startedProcess, startedContainer]);

/** What `ingot up` has started for one part, so that `ingot down` stops that and nothing else. */
export type StartedRecord = z.infer<typeof startedRecord>;

/** Undefined when nothing was started here, or the record cannot be read. */
export async function readStarted(
  stack: string,
  part: PartName,
): Promise<StartedRecord | undefined> {
  try {
    return startedRecord.parse(JSON.parse(await readFile(recordFile(stack, part), 'utf8')));
  } catch {
    // A record that is absent or damaged names no process that may be stopped.
    return undefined;
  }
}

export async function writeStarted(
  stack: string,
  part: PartName,
  record: StartedRecord,
): Promise<void> {
  const file = recordFile(stack, part);
  const aside = `${file}.${process.pid}`;
  await mkdir(stack, { recursive: true });
  await writeFile(aside, `${JSON.stringify(record)}\n`);
  await rename(aside, file);
}

export async function removeStarted(stack: string, part: PartName): Promise<void> {
  await rm(recordFile(stack, part), { force: true });
}

function recordFile(stack: string, part: PartName): string {
  return join(stack, `${part}.started.json`);
}
