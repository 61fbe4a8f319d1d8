import { IngotError } from '../errors.ts';
import {
  type Control,
  type ControlChange,
  changedControl,
  initialControl,
} from '../lake/control.ts';
import type { ChangeControlInput } from '../lake/messages.ts';
import { controlKey } from '../lake/paths.ts';
import type { ObjectStore } from '../ports.ts';
import { jsonBytes, readJson } from './json-objects.ts';

/* The control of ingest: read by every lane, changed by updates of lanes and by workers that start. */

export type ControlActivities = {
  changeControl(input: ChangeControlInput): Promise<Control>;
};

export function createControlActivities(objects: ObjectStore): ControlActivities {
  return { changeControl: ({ dataset, change }) => changeControl(objects, dataset, change) };
}

export async function readControl(objects: ObjectStore, dataset: string): Promise<Control> {
  return (await readJson<Control>(objects, controlKey(dataset)))?.value ?? initialControl;
}

const roundsMax = 20;

/** Answers the control with the change in it. Asked twice, it is changed as if asked once. */
export async function changeControl(
  objects: ObjectStore,
  dataset: string,
  change: ControlChange,
): Promise<Control> {
  const key = controlKey(dataset);
  for (let round = 0; round < roundsMax; round += 1) {
    const found = await readJson<Control>(objects, key);
    const known = found?.value ?? initialControl;
    const wanted = changedControl(known, change);
    if (wanted === known) return known;
    const { kind } = await objects.swapObject(key, jsonBytes(wanted), found?.etag ?? null);
    if (kind === 'swapped') return wanted;
  }
  throw new IngotError('LOG_CORRUPT', 'the control of ingest is changed by many at once', {
    retryable: true,
    facts: { key, rounds: roundsMax },
  });
}
