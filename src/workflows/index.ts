export { goldHourly } from './gold-hourly.ts';
export { buildGoldWindow } from './gold.ts';
export { ingestLane } from './ingest.ts';
export { janitor } from './janitor.ts';
export { lakehouse } from './lakehouse.ts';
export { buildSilverWindow } from './silver.ts';
