import { events } from '../../../src/datasets/events.ts';
import { createGroupPorts } from '../../../src/workers/ingest-wiring.ts';
import { serveGroup } from '../../../src/workers/serve-group.ts';
import { otherContract, otherContractVariable } from './other-contract.ts';
import { steppedStore, stepsFromEnvironment } from './steps.ts';

/* The thread of the product, whose object store stops at the steps of a case. */

const steps = stepsFromEnvironment(process.env);
if (process.env[otherContractVariable] === 'true') Object.assign(events, otherContract(events));
serveGroup(async (config, logger) => {
  const ports = await createGroupPorts(config, logger);
  return { ...ports, objects: steppedStore(ports.objects, steps) };
});
