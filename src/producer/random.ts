import { createHash } from 'node:crypto';

/** Numbers that depend on the key they were made from, and on nothing else. */
export type Random = {
  /** At least 0, less than 1. */
  readonly next: () => number;
  readonly between: (min: number, max: number) => number;
  /** A whole number, at least 0, less than `end`. */
  readonly below: (end: number) => number;
  readonly chance: (share: number) => boolean;
  readonly pick: <T>(items: readonly [T, ...T[]]) => T;
  /** So many lower-case hexadecimal digits. */
  readonly hex: (digits: number) => string;
  /** In the format of a random UUID (version 4). */
  readonly uuid: () => string;
  /** Mean 0, standard deviation 1. */
  readonly normal: () => number;
};

const word = 2 ** 32;

/** sfc32: small, fast, and its 128 bits of state come from the hash of the key. */
export function createRandom(key: string): Random {
  const hash = createHash('sha256').update(key).digest();
  let [a, b, c, counter] = [0, 4, 8, 12].map((at) => hash.readInt32LE(at)) as [
    number,
    number,
    number,
    number,
  ];
  const bits = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  const next = (): number => bits() / word;
  const below = (end: number): number => Math.floor(next() * end);
  const hex = (digits: number): string => {
    let text = '';
    while (text.length < digits) text += bits().toString(16).padStart(8, '0');
    return text.slice(0, digits);
  };
  return {
    next,
    below,
    hex,
    between: (min, max) => min + next() * (max - min),
    chance: (share) => next() < share,
    pick: (items) => items[below(items.length)] ?? items[0],
    uuid: () => formatUuid(hex(32)),
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  };
}

function formatUuid(digits: string): string {
  const variant = '89ab'.charAt(Number.parseInt(digits.charAt(16), 16) & 3);
  const parts = [
    digits.slice(0, 8),
    digits.slice(8, 12),
    `4${digits.slice(13, 16)}`,
    `${variant}${digits.slice(17, 20)}`,
    digits.slice(20),
  ];
  return parts.join('-');
}

/** Draws an index below `weights.length`, each as often as its weight says. */
export function createWeighted(weights: readonly number[]): (random: Random) => number {
  const sums = new Float64Array(weights.length);
  let sum = 0;
  weights.forEach((weight, index) => {
    sum += weight;
    sums[index] = sum;
  });
  return (random) => {
    const drawn = random.next() * sum;
    let low = 0;
    let high = sums.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] ?? sum) > drawn) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}

/** Draws a rank below `size`: the popularity of rank r falls with `(r + 1) ** exponent`. */
export function createZipf(size: number, exponent: number): (random: Random) => number {
  return createWeighted(Array.from({ length: size }, (_, rank) => (rank + 1) ** -exponent));
}
