import { dropLog } from '../lake/drop.ts';
import { dropTopic } from '../lake/dropped-object.ts';
import type { IngestInput, IngestResult } from '../lake/messages.ts';
import { createDropGapActivities } from './drop-gap.ts';
import { type DropGroupDeps, createDropGroups, dropSource } from './drop-group.ts';
import { type IngestDeps, createIngestActivities } from './ingest.ts';
import type { GapActivities } from './ingest-gap.ts';

/* The long-running activity of the lane that serves the drop folder: slices like those of Kafka. */

export type DropActivities = {
  ingestDrop(input: IngestInput): Promise<IngestResult>;
};

export type DropDeps = DropGroupDeps &
  Pick<IngestDeps, 'sliceMs' | 'tellOwner' | 'tellLane' | 'draining' | 'uniqueId'>;

export function createDropActivities(deps: DropDeps): DropActivities {
  const { ports, dataset, sliceMs, tellOwner, tellLane, draining, uniqueId } = deps;
  const lane = createIngestActivities({
    ports: { ...ports, source: dropSource },
    dataset,
    topics: [dropTopic],
    startGroup: createDropGroups(deps),
    groupsMax: 1,
    isAlone: true,
    sliceMs,
    lagGroup: dropTopic,
    tellOwner,
    tellLane,
    draining,
    uniqueId,
  });
  return { ingestDrop: (input) => lane.ingest(input) };
}

/** What a person accepts as missing, in whichever log it is. */
export function withDropGaps(deps: DropGroupDeps, kafka: GapActivities): GapActivities {
  const drop = createDropGapActivities(deps);
  return { acceptGap: (input) => (input.log === dropLog ? drop : kafka).acceptGap(input) };
}
