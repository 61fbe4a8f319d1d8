import type { Dataset } from '../lake/dataset.ts';
import type { BuildSilverInput } from '../lake/messages.ts';
import type { LogName } from '../lake/paths.ts';
import { type LogInput, type Pointer, fromRanges, toRanges } from '../lake/pointer.ts';
import type { Seal } from '../lake/source-log.ts';
import type { ObjectStore, Row, TableInput } from '../ports.ts';
import { readSeal, readSeals } from './source-log.ts';

/* Which batches a silver build is made from. */

export type SilverInputs = {
  /** Seals of the batches whose rows the build reads. */
  readonly batches: readonly Seal[];
  /** What the new version will have looked at, per log. */
  readonly logs: Readonly<Record<LogName, LogInput>>;
};

/**
 * A fold reads the batches after the pointer's; a whole build all batches of the window. Either way
 * the answer depends on the pointer and the input alone, so a repeated stage reads the same.
 */
export async function gatherInputs(
  objects: ObjectStore,
  input: BuildSilverInput,
  current: Pointer | null,
): Promise<SilverInputs> {
  const names = [...new Set([...Object.keys(current?.logs ?? {}), ...Object.keys(input.pending)])];
  const gathered = await Promise.all(
    names
      .sort()
      .map((log) => gatherLog(objects, { input, log, known: current?.logs[log] ?? null })),
  );
  const wholeBuild = input.mode !== 'fold' || current === null;
  return {
    batches: gathered.flatMap(({ before, added }) => (wholeBuild ? [...before, ...added] : added)),
    logs: Object.fromEntries(gathered.map(({ log, next }) => [log, next])),
  };
}

async function gatherLog(
  objects: ObjectStore,
  ask: { readonly input: BuildSilverInput; readonly log: LogName; readonly known: LogInput | null },
): Promise<{ log: LogName; before: readonly Seal[]; added: readonly Seal[]; next: LogInput }> {
  const { input, log, known } = ask;
  const { dataset, window, mode } = input;
  const pending = input.pending[log];
  const seenTo = known?.through ?? -1;
  const through = Math.max(seenTo, pending?.through ?? -1);
  const first = Math.max(seenTo + 1, pending?.first ?? 0);
  const found =
    pending === undefined ? [] : await readSeals(objects, { dataset, log, first, through });
  const added = found.filter((seal) => (seal.rowsPerEventHour[window] ?? 0) > 0);
  const numbersBefore = fromRanges(known?.batches ?? []);
  const before = mode === 'fold' ? [] : await sealsOf(objects, dataset, log, numbersBefore);
  const batches = toRanges([...numbersBefore, ...added.map(({ number }) => number)]);
  return { log, before, added, next: { through, batches } };
}

async function sealsOf(
  objects: ObjectStore,
  dataset: string,
  log: LogName,
  numbers: readonly number[],
): Promise<readonly Seal[]> {
  const found = await Promise.all(
    numbers.map((number) => readSeal(objects, { dataset, log, number })),
  );
  return found.flatMap((seal) => (seal === null ? [] : [seal.seal]));
}

/** The table `contract_values` that checks read: allowed values by column. */
export function contractValues(dataset: Dataset): TableInput {
  const text = (name: string) => ({ name, type: 'string' as const, comment: '' });
  const rows = Object.entries(dataset.allowedValues).flatMap(([field, values]) =>
    values.map((value): Row => ({ field, value })),
  );
  return { kind: 'rows', name: 'contract_values', columns: [text('field'), text('value')], rows };
}
