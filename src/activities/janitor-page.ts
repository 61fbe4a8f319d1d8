import type { Dataset } from '../lake/dataset.ts';
import type { Pointer } from '../lake/pointer.ts';
import type { Retention, RetentionDays } from '../lake/retention.ts';
import type { WindowId } from '../lake/window.ts';
import type { Ports } from '../ports.ts';
import { readPointer } from './pointers.ts';

export type JanitorDeps = {
  readonly ports: Pick<Ports, 'objects' | 'catalog' | 'now'>;
  readonly dataset: Dataset;
  readonly id: string;
  readonly bucket: string;
  readonly graceMs: number;
  readonly days: RetentionDays;
  readonly checkResultsDays: number;
  /** The drop folder, and the days that taken files are left in it; 0: for ever. */
  readonly landing: { readonly prefix: string; readonly days: number };
  /** Which of these builds run, or are parked: what they have read or staged is left alone. */
  readonly inUse: (buildIds: readonly string[]) => Promise<ReadonlySet<string>>;
};

/** What every unit of a page is given. */
export type Sweeping = {
  readonly deps: JanitorDeps;
  readonly dryRun: boolean;
  readonly nowMs: number;
  readonly retention: Retention;
  readonly pointers: PointerCache;
};

/** Pointers of silver; one page looks at the same few again and again. */
export type PointerCache = (window: WindowId) => Promise<Pointer | null>;

export function createPointerCache({ ports, dataset }: JanitorDeps): PointerCache {
  const known = new Map<WindowId, Promise<Pointer | null>>();
  return (window) => {
    const found =
      known.get(window) ??
      readPointer(ports.objects, dataset.silver, window).then((pointer) => pointer?.value ?? null);
    known.set(window, found);
    return found;
  };
}
