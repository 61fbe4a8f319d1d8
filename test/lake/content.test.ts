import assert from 'node:assert/strict';
import { contentOf, isWrittenBy } from '../../src/lake/content.ts';

const folder = 'silver/events_cleaned/event_date=2026-08-21/hour=13/event_type=search/';
const [first, second] = ['000001-0123456789ab', '000002-ba9876543210'] as const;

describe('contentOf', () => {
  it('is the same for a file and its copy in the folder of a later version', () => {
    const written = contentOf(`${folder}${first}/${first}.parquet`);
    assert.equal(contentOf(`${folder}${second}/${first}.parquet`), written);
  });

  it('differs for another writer, table partition or table', () => {
    const keys = [
      `${folder}${second}/${first}.parquet`,
      `${folder}${second}/${second}.parquet`,
      `${folder.replace('search', 'purchase')}${second}/${first}.parquet`,
      `${folder.replace('events_cleaned', 'other')}${second}/${first}.parquet`,
    ];
    assert.equal(new Set(keys.map(contentOf)).size, keys.length);
  });

  it('leaves every key of another kind as it is', () => {
    const key = 'bronze/events/year=2026/month=08/day=21/hour=13/clicks-0-000000000007.parquet';
    assert.equal(contentOf(key), key);
  });
});

describe('isWrittenBy', () => {
  it('tells a file of a version from one that it copied', () => {
    assert.equal(isWrittenBy(second, `${folder}${second}/${second}.parquet`), true);
    assert.equal(isWrittenBy(second, `${folder}${second}/${first}.parquet`), false);
  });
});
