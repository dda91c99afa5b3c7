// Asks on the lab's client who answers for addresses, all the time.

import { join } from "node:path";
import type { Answers, AnswersQuestion } from "./answers-program.ts";
import { arpProbeArguments } from "./arp-probe.ts";
import type { Lab } from "./lab.ts";
import { LabProgram } from "./lab-program.ts";

const PROGRAM = join(import.meta.dirname, "answers-program.ts");

export class AnswerWatch {
  readonly #program: LabProgram<AnswersQuestion, Answers>;

  private constructor(program: LabProgram<AnswersQuestion, Answers>) {
    this.#program = program;
  }

  static async start(lab: Lab): Promise<AnswerWatch> {
    const argv = [PROGRAM, ...(await arpProbeArguments(lab.client))];
    return new AnswerWatch(new LabProgram(lab, lab.client, argv));
  }

  /** From now on; what was heard before is forgotten. */
  async begin(addresses: readonly string[]): Promise<void> {
    await this.#program.ask({ kind: "begin", addresses });
  }

  report(): Promise<Answers> {
    return this.#program.ask({ kind: "report" });
  }

  stop(): void {
    this.#program.end();
  }
}
