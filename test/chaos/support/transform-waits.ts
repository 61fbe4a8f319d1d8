import { PutBucketVersioningCommand } from '@aws-sdk/client-s3';
import {
  createGlueClient,
  createS3Client,
  ensureBucket,
} from '../../../src/adapters/aws-clients.ts';
import type { Config } from '../../../src/config.ts';
import { events } from '../../../src/datasets/events.ts';
import type { OwnerState } from '../../../src/lake/owner-state.ts';
import { type LakeView, folderOf, pointerHistory, seenPartitions } from './lake-view.ts';
import { firstHour, mainLog } from './transform-batches.ts';

/* How a case of the transforms sees its lake, and what it waits for. */

/** The bucket keeps versions, so that the checks can see what was there and is not any more. */
export async function openView(config: Config): Promise<LakeView> {
  const s3 = createS3Client(config);
  const bucket = config.lakeBucket;
  await ensureBucket(s3, bucket, config.AWS_REGION);
  await s3.send(
    new PutBucketVersioningCommand({
      Bucket: bucket,
      VersioningConfiguration: { Status: 'Enabled' },
    }),
  );
  return { s3, glue: createGlueClient(config), bucket, id: config.INGOT_ID };
}

export async function isRegistered(
  view: LakeView,
  sealedTo: Readonly<Record<string, number>>,
  isClosed: boolean,
): Promise<boolean> {
  const { name: table } = events.silver;
  const history = await pointerHistory(view, `_current/silver/${table}/${firstHour}`);
  const pointer = [...history.values()][0]?.at(-1);
  if (pointer === undefined || (isClosed && pointer.mode === 'fold')) return false;
  const isBuilt = Object.entries(sealedTo).every(
    ([log, number]) => (pointer.logs[log]?.through ?? -1) >= number,
  );
  if (!isBuilt) return false;
  const hour = firstHour.slice(-2);
  const partitions = await seenPartitions(view, 'silver', table);
  const mine = partitions.filter(({ values }) => values[1] === hour).map(({ folder }) => folder);
  const wanted = new Set(pointer.files.map(({ key }) => folderOf(key)));
  return mine.length === wanted.size && mine.every((folder) => wanted.has(folder));
}

export function isAtRest(
  state: OwnerState,
  sealedTo: Readonly<Record<string, number>>,
  { withGold, isClosed }: { readonly withGold: boolean; readonly isClosed: boolean },
): boolean {
  const isRouted = Object.entries(sealedTo).every(
    ([log, number]) => (state.logs[log]?.routedTo ?? -1) >= number,
  );
  const silver = Object.entries(state.silver).every(
    ([hour, { building, pending, sealed }]) =>
      building === null &&
      Object.keys(pending).length === 0 &&
      (sealed || hour !== firstHour || !isClosed),
  );
  const gold = Object.values(state.gold).every(
    ({ building, stale }) => building === null && (!stale || !withGold),
  );
  return isRouted && silver && gold && (state.logs[mainLog]?.promised.length ?? 0) === 0;
}
