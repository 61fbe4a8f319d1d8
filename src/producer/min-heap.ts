/** A priority queue: `peek` and `pop` give the least item. Equal items come in no set order. */
export type MinHeap<T> = {
  readonly size: () => number;
  readonly peek: () => T | undefined;
  readonly push: (item: T) => void;
  readonly pop: () => T | undefined;
};

export function createMinHeap<T>(isLess: (left: T, right: T) => boolean): MinHeap<T> {
  const items: T[] = [];
  /** Puts the item where it belongs above `hole`. */
  const rise = (item: T, from: number): void => {
    let hole = from;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      const above = items[parent] as T;
      if (!isLess(item, above)) break;
      items[hole] = above;
      hole = parent;
    }
    items[hole] = item;
  };
  const sink = (item: T): void => {
    let hole = 0;
    for (let child = 1; child < items.length; child = 2 * hole + 1) {
      const right = child + 1;
      const least =
        right < items.length && isLess(items[right] as T, items[child] as T) ? right : child;
      if (!isLess(items[least] as T, item)) break;
      items[hole] = items[least] as T;
      hole = least;
    }
    items[hole] = item;
  };
  return {
    size: () => items.length,
    peek: () => items[0],
    push: (item) => {
      items.push(item);
      rise(item, items.length - 1);
    },
    pop: () => {
      const least = items[0];
      const last = items.pop();
      if (items.length > 0) sink(last as T);
      return least;
    },
  };
}
