import {
  type BackfillRequest,
  backfillLayers,
  backfillOnly,
  backfillOrders,
  rangeOf,
} from '../lake/backfill.ts';
import { type ControlBackfill, backfillActions } from '../lake/backfill-control.ts';
import { aText, anObject, oneOf } from './signal-checks.ts';

/* What comes in about backfills, looked at once; see signal-checks.ts. */

const known = ['from', 'to', 'layers', 'only', 'order', 'id', 'author', 'reason'];
const idPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$/;

/** Without layers it is both; a name that is not known is most likely misspelt. */
export function checkedBackfill(message: unknown): BackfillRequest {
  const request = anObject(message, 'the request');
  const strange = Object.keys(request).find((name) => !known.includes(name));
  if (strange !== undefined) {
    throw new Error(
      `there is no ${strange.slice(0, 60)} in a backfill; there are: ${known.join(', ')}`,
    );
  }
  const { from, to, layers, only, order, id } = request;
  return {
    ...rangeOf(edge('from', from), edge('to', to)),
    layers: checkedLayers(layers ?? backfillLayers),
    only: oneOf(backfillOnly, only ?? 'all'),
    order: oneOf(backfillOrders, order ?? 'oldest'),
    id: id == null ? null : checkedId(id),
    author: aText(request['author'] ?? 'unknown').slice(0, 60),
    reason: checkedReason(request['reason'], 'say why: a backfill needs a reason'),
  };
}

function edge(name: string, value: unknown): string {
  if (typeof value === 'string') return value.slice(0, 40);
  throw new Error(`${name} is missing: an hour such as 2026-08-21T13, or a day such as 2026-08-21`);
}

function checkedLayers(value: unknown): BackfillRequest['layers'] {
  if (!Array.isArray(value)) throw new Error('layers is not a list, such as ["silver", "gold"]');
  const layers = value.map((layer: unknown) => oneOf(backfillLayers, layer));
  if (layers.length === 0) throw new Error('layers is empty: name silver, gold or both');
  return backfillLayers.filter((layer) => layers.includes(layer));
}

function checkedId(value: unknown): string {
  if (typeof value === 'string' && idPattern.test(value)) return value;
  throw new Error('id is up to 60 letters, digits and ._-');
}

function checkedReason(value: unknown, sentence: string): string {
  if (typeof value === 'string' && value.trim() !== '') return value.trim();
  throw new Error(sentence);
}

export function checkedControlBackfill(message: unknown): ControlBackfill {
  const { id, action, author, reason } = anObject(message, 'the request');
  return {
    id: checkedId(id),
    action: oneOf(backfillActions, action),
    author: aText(author ?? 'unknown').slice(0, 60),
    reason: checkedReason(reason, 'say why: {"id": "…", "action": "pause", "reason": "…"}').slice(
      0,
      200,
    ),
  };
}
