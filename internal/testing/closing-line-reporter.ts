import type { Reporter, TestCase } from 'vitest/node';

/** Ends the run's output with one plain line: `N passed, N failed`. Before it come the tests that needed a second attempt. */
export default class ClosingLineReporter implements Reporter {
  #passed = 0;
  #failed = 0;
  #skipped = 0;
  readonly #flaky: string[] = [];

  onTestCaseResult(test: TestCase): void {
    const { state } = test.result();
    if (test.diagnostic()?.flaky) this.#flaky.push(`${test.module.relativeModuleId} > ${test.fullName}`);
    if (state === 'passed') this.#passed += 1;
    else if (state === 'failed') this.#failed += 1;
    else this.#skipped += 1;
  }

  onTestRunEnd(modules: Parameters<NonNullable<Reporter['onTestRunEnd']>>[0]): void {
    // A file that cannot even be loaded has no test that could fail.
    const broken = modules.filter((module) => !module.ok() && ![...module.children.allTests('failed')].length).length;
    for (const name of this.#flaky) process.stdout.write(`\nneeded a second attempt: ${name}`);
    const skipped = this.#skipped > 0 ? `, ${this.#skipped} skipped` : '';
    process.stdout.write(`\n${this.#passed} passed, ${this.#failed + broken} failed${skipped}\n`);
  }
}
