import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { createS3Client } from '../../src/adapters/aws-clients.ts';
import { createS3ObjectStore } from '../../src/adapters/s3-object-store.ts';
import { loadConfig } from '../../src/config.ts';
import { type Measured, report } from './measure.ts';

/*
 * The engine alone: the bronze files of a lake, on the local disk, each id once, written as one zstd
 * file. No contract, no checks, no object store: what no build with this engine can pass.
 */

export type CeilingMeasured = Measured & { readonly rounds: readonly number[] };

const repeat = Number(process.argv[2]);
const config = loadConfig(process.env);
const client = createS3Client(config);
const objects = createS3ObjectStore({ client, bucket: config.lakeBucket });
const folder = await mkdtemp(join(tmpdir(), 'ingot-bench-ceiling-'));
const files = await objects.listObjects('bronze/');
for (const [index, { key }] of files.entries()) {
  await writeFile(join(folder, `${index}.parquet`), (await objects.readObject(key))!.bytes);
}
client.destroy();
const database = await DuckDBInstance.create(':memory:', {
  threads: String(config.DUCKDB_THREADS),
  memory_limit: `${config.DUCKDB_MEMORY_MB}MiB`,
  temp_directory: join(folder, 'spill'),
});
const connection = await database.connect();
await connection.run(`CREATE VIEW bronze AS SELECT * FROM read_parquet('${folder}/*.parquet')`);
const rounds: number[] = [];
const before = process.cpuUsage();
for (let round = 0; round <= repeat; round += 1) {
  const startedMs = performance.now();
  // Ranking whole rows takes twice as long as finding the few that are copies of another.
  await connection.run(`CREATE OR REPLACE TEMP TABLE copies AS
    SELECT _topic, _partition, _offset FROM bronze
    WHERE event_id IN (SELECT event_id FROM bronze GROUP BY event_id HAVING count(*) > 1)
    QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY _ingest_ts, _topic, _partition, _offset) > 1`);
  await connection.run(`COPY (SELECT * FROM bronze ANTI JOIN copies USING (_topic, _partition, _offset))
    TO '${folder}/written.zst' (FORMAT parquet, COMPRESSION zstd)`);
  rounds.push(performance.now() - startedMs);
}
const { user, system } = process.cpuUsage(before);
const counted = await connection.runAndReadAll(
  `SELECT count(*) FROM read_parquet('${folder}/*.parquet')`,
);
connection.closeSync();
database.closeSync();
await rm(folder, { recursive: true, force: true });
const measured: CeilingMeasured = {
  records: Number(counted.getRows()[0]?.[0]),
  seconds: process.uptime(),
  cpuSeconds: (user + system) / 1e6 / (repeat + 1),
  peakRssMiB: process.resourceUsage().maxRSS / 1_024,
  rounds: rounds.slice(1),
};
report(measured);
