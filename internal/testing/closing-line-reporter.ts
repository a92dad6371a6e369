import { stripVTControlCharacters } from 'node:util';
import type { Reporter, TestCase } from 'vitest/node';

/** How much is printed of an error's text (its end, which says what was expected), and of its diff, in characters. */
const excerptLength = 1_500;

/**
 * A reporter that ends the run's output with the failed tests once more, its seed, and the line `N passed, N failed`: who sees only the end of a
 * log still learns what failed.
 */
export default class ClosingLineReporter implements Reporter {
  #passed = 0;
  #failed = 0;
  #skipped = 0;
  readonly #failures: string[] = [];

  onTestCaseResult(test: TestCase): void {
    const { state, errors } = test.result();
    if (state === 'passed') this.#passed += 1;
    else if (state === 'failed') {
      this.#failed += 1;
      const why = errors?.map(
        ({ message, diff = '' }) => `${message.slice(-excerptLength)}\n${diff.slice(0, excerptLength)}`,
      );
      this.#failures.push(`FAILED ${test.module.relativeModuleId}: ${test.fullName}\n${why?.join('\n') ?? ''}`);
    } else this.#skipped += 1;
  }

  onTestRunEnd(modules: Parameters<NonNullable<Reporter['onTestRunEnd']>>[0]): void {
    // A file that cannot be loaded contains no failed test, but counts as one.
    const broken = modules.filter((module) => !module.ok() && ![...module.children.allTests('failed')].length).length;
    const skipped = this.#skipped > 0 ? `, ${this.#skipped} skipped` : '';
    for (const failure of this.#failures) process.stdout.write(`\n${stripVTControlCharacters(failure)}\n`);
    process.stdout.write(`\nSEED=${process.env.SEED} makes the same random choices again.`);
    process.stdout.write(`\n${this.#passed} passed, ${this.#failed + broken} failed${skipped}\n`);
  }
}
