import { createGroupPorts } from './ingest-wiring.ts';
import { serveGroup } from './serve-group.ts';

/* The thread of a group of topic partitions. */

serveGroup(createGroupPorts);
