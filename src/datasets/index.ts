import type { Dataset } from '../lake/dataset.ts';
import { events } from './events.ts';

const datasets: readonly Dataset[] = [events];

export function datasetNamed(name: string): Dataset {
  const found = datasets.find((dataset) => dataset.name === name);
  if (found === undefined) throw new Error(`there is no dataset ${name}`);
  return found;
}
