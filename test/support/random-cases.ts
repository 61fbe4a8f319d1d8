/*
 * How much a search through random cases tries. `npm run test:unit` tries a tenth, for a quick
 * answer; `npm test` tries all. INGOT_TEST_CASES=100 tries a hundred times as many.
 */

const share = Number(process.env['INGOT_TEST_CASES'] ?? 1);

/** How many cases to try where `npm test` tries so many. */
export function randomCases(all: number): number {
  return Math.max(1, Math.round(all * share));
}
