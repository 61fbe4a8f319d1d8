/*
 * Mocha's own spec output, and the numbers of its event stream as a JSON file for scripts: nobody
 * has to read numbers out of text that is meant for people. Mocha loads reporters with require().
 */
const { writeFileSync } = require('node:fs');
const process = require('node:process');
const { Runner, reporters } = require('mocha');

const { EVENT_RUN_END, EVENT_TEST_FAIL, EVENT_TEST_PASS, EVENT_TEST_PENDING } = Runner.constants;

class CountingReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const counts = { passed: 0, failed: 0, pending: 0, finished: false };
    const file = process.env.INGOT_TEST_COUNTS;
    const write = () => {
      if (file !== undefined) {
        writeFileSync(file, `${JSON.stringify(counts)}\n`);
      }
    };
    runner.on(EVENT_TEST_PASS, () => (counts.passed += 1));
    // A failing hook is a failure as well: the tests behind it have not run.
    runner.on(EVENT_TEST_FAIL, () => (counts.failed += 1));
    runner.on(EVENT_TEST_PENDING, () => (counts.pending += 1));
    runner.once(EVENT_RUN_END, () => {
      counts.finished = true;
      write();
    });
  }
}

module.exports = CountingReporter;
