import type { Reporter, TestCase } from 'vitest/node';

/** A reporter that ends the run's output with its seed and the line `N passed, N failed`. */
export default class ClosingLineReporter implements Reporter {
  #passed = 0;
  #failed = 0;
  #skipped = 0;

  onTestCaseResult(test: TestCase): void {
    const { state } = test.result();
    if (state === 'passed') this.#passed += 1;
    else if (state === 'failed') this.#failed += 1;
    else this.#skipped += 1;
  }

  onTestRunEnd(modules: Parameters<NonNullable<Reporter['onTestRunEnd']>>[0]): void {
    // A file that cannot be loaded contains no failed test, but counts as one.
    const broken = modules.filter((module) => !module.ok() && ![...module.children.allTests('failed')].length).length;
    const skipped = this.#skipped > 0 ? `, ${this.#skipped} skipped` : '';
    process.stdout.write(`\nSEED=${process.env.SEED} makes the same random choices again.`);
    process.stdout.write(`\n${this.#passed} passed, ${this.#failed + broken} failed${skipped}\n`);
  }
}
