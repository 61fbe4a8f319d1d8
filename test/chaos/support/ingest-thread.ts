import { events } from '../../../src/datasets/events.ts';
import { createGroupPorts } from '../../../src/workers/ingest-wiring.ts';
import { serveGroups } from '../../../src/workers/serve-groups.ts';
import { otherContract, otherContractVariable } from './other-contract.ts';
import { steppedStore, stepsFromEnvironment } from './steps.ts';

/* The thread of the product, whose object store stops at the steps of a case. */

const steps = stepsFromEnvironment(process.env);
if (process.env[otherContractVariable] === 'true') Object.assign(events, otherContract(events));
serveGroups(async (config, logger) => {
  const ports = await createGroupPorts(config, logger);
  return { ...ports, objects: steppedStore(ports.objects, steps) };
});
