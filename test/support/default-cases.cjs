/* What random-cases.ts says, for properties that leave the number of their cases to fast-check. */
const process = require('node:process');

const share = Number(process.env.INGOT_TEST_CASES ?? 1);
const casesByDefault = 100;

if (share !== 1) {
  const numRuns = Math.max(1, Math.round(casesByDefault * share));
  // Kept on globalThis: it also holds for what imports fast-check as an ES module.
  require('fast-check').configureGlobal({ numRuns });
}
