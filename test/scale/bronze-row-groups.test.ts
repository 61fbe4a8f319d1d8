import { type EncoderPair, openEncoderPair, row } from '../engine/support/encoder-pair.ts';

describe('bronze encoders, of a large batch,', function () {
  this.timeout(180_000);
  let encoders: EncoderPair;
  before(async () => {
    encoders = await openEncoderPair();
  });
  after(() => encoders.remove());

  it('write the same in the same order over several row groups, with nulls everywhere', () =>
    encoders.assertSame(
      Array.from({ length: 21_000 }, (_, index) =>
        row(String(index), {
          user_id: 'same',
          device: index % 3 === 0 ? null : 'mobile',
          price: (index * 7919) % 11 < 5 ? null : `${index % 1_000}.5`,
          event_ts: new Date(Date.UTC(2026, 7, 21) + index * 999).toISOString(),
        }),
      ),
    ));
});
