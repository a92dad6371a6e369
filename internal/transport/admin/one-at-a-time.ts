import { Refusal } from './refusal.ts';

/** Runs one piece of work at a time, and refuses others meanwhile. */
export class OneAtATime {
  #underWay: string | undefined;

  /** Throws `Refusal` if other work is under way. `what` names this one, as in "a CPU profile". */
  async run<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
    if (this.#underWay !== undefined) {
      throw new Refusal(409, `${this.#underWay} is being taken: only one at a time, try again when it is done`);
    }
    this.#underWay = what;
    try {
      return await work();
    } finally {
      this.#underWay = undefined;
    }
  }
}
