export { buildGoldWindow, goldHourly } from './gold.ts';
export { ingestLane } from './ingest.ts';
export { lakehouse } from './lakehouse.ts';
export { buildSilverWindow } from './silver.ts';
