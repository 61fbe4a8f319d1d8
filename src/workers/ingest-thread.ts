import { createGroupPorts } from './ingest-wiring.ts';
import { serveGroups } from './serve-groups.ts';

/* A thread of groups of topic partitions. */

serveGroups(createGroupPorts);
