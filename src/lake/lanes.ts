/* Who serves which topic partition. */

/** Deals things out to at most so many hands, evenly and in order; no hand stays empty. */
export function dealOut<T>(things: readonly T[], handsMax: number): readonly (readonly T[])[] {
  const hands: T[][] = [];
  for (const [index, thing] of things.entries()) {
    const hand = hands[index % handsMax];
    if (hand === undefined) hands.push([thing]);
    else hand.push(thing);
  }
  return hands;
}
