import type { ZxcvbnFactory } from '@zxcvbn-ts/core';
import type { PasswordPolicy } from './password-policy.ts';

/** The lowest score, of 0 to 4, that is accepted: an attacker needs more than a million guesses. Source: zxcvbn */
const minScore = 2;
/** Only this many characters are estimated: the time of the estimate grows with the square of the length, and longer passwords are strong anyway. */
const estimatedChars = 64;

/** The library's warnings in words. */
const inWords: Readonly<Record<string, string>> = {
  straightRow: 'a row of keys',
  keyPattern: 'a pattern of keys',
  simpleRepeat: 'a repetition',
  extendedRepeat: 'a repetition',
  sequences: 'a sequence',
  recentYears: 'a year',
  dates: 'a date',
  topTen: 'one of the most common passwords',
  topHundred: 'one of the most common passwords',
  common: 'a common password',
  similarToCommon: 'like a common password',
  wordByItself: 'a single word',
  namesByThemselves: 'a name',
  commonNames: 'a common name',
  userInputs: 'made of your names',
};

/** Estimates how many guesses a password takes, with dictionaries of common passwords and names (zxcvbn). */
export class ZxcvbnPasswordPolicy implements PasswordPolicy {
  #estimator: Promise<ZxcvbnFactory> | undefined;

  async findFault(password: string, known: readonly string[]): Promise<string | undefined> {
    this.#estimator ??= load();
    const { score, feedback } = (await this.#estimator).check(password.slice(0, estimatedChars), [...known, 'chat']);
    if (score >= minScore) return undefined;
    const why = inWords[feedback.warning ?? ''];
    return why ? `is too easy to guess: it is ${why}` : 'is too easy to guess: add another word or two';
  }
}

/** Loads the dictionaries when first needed: they take megabytes, and only processes that create accounts need them. */
async function load(): Promise<ZxcvbnFactory> {
  const [{ ZxcvbnFactory }, common] = await Promise.all([
    import('@zxcvbn-ts/core'),
    import('@zxcvbn-ts/language-common'),
  ]);
  return new ZxcvbnFactory({
    dictionary: { ...common.dictionary },
    graphs: common.adjacencyGraphs,
  });
}
