import { eventually } from '../support/temporal/eventually.ts';
import { createIngestBed, produce, startGroupOf } from './support/ingest-bed.ts';

describe('startGroup', () => {
  it('seals the end of a backlog without waiting for the age of a batch', async () => {
    const bed = createIngestBed(4);
    await produce(bed, 37);
    const group = await startGroupOf(bed, 3_600_000);
    try {
      await eventually('everything is sealed', () => group.reports()[0]?.offsetNext === '37');
    } finally {
      group.halt();
      await group.ended;
    }
  });
});
