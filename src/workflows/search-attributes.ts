import {
  type SearchAttributePair,
  SearchAttributeType,
  defineSearchAttributeKey,
} from '@temporalio/common';
import { upsertSearchAttributes } from '@temporalio/workflow';
import { searchAttributeNames } from '../lake/messages.ts';
import type { Build } from '../lake/owner-decisions.ts';

/* What the Web UI and `temporal workflow list` can filter by. */

const [dataset, layer, window, gate] = searchAttributeNames.map((name) =>
  defineSearchAttributeKey(name, SearchAttributeType.KEYWORD),
);

/** Marks the running build as one whose gate has blocked it. */
export function showBlocked(): void {
  upsertSearchAttributes([{ key: gate!, value: 'blocked' }]);
}

export function datasetAttributes(name: string): SearchAttributePair[] {
  return [{ key: dataset!, value: name }];
}

export function buildAttributes(name: string, build: Build): SearchAttributePair[] {
  return [
    { key: dataset!, value: name },
    { key: layer!, value: build.kind === 'buildSilver' ? 'silver' : 'gold' },
    { key: window!, value: build.window },
  ];
}
