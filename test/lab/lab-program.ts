// A program that runs on a host of the lab and is asked over a channel: one question at a time, one
// answer each.

import { type ChildProcess, spawn } from "node:child_process";
import type { LabHost } from "./host.ts";
import type { Lab } from "./lab.ts";
import { identifyProcess } from "./process-identity.ts";

export class LabProgram<Question extends object, Answer> {
  readonly #process: ChildProcess;

  constructor(lab: Lab, host: LabHost, argv: readonly string[]) {
    const inSpace = ["ip", "netns", "exec", host.namespace, process.execPath, ...argv];
    this.#process = spawn("setpriv", ["--pdeathsig", "KILL", ...inSpace], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const identity = identifyProcess(this.#process.pid ?? 0);
    if (identity !== null) lab.context.ledger.addProcess(identity);
  }

  /** Rejects when the program ends instead of answering. */
  ask(question: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const onExit = (): void => reject(new Error("A program of the lab ended early"));
      this.#process.once("exit", onExit);
      this.#process.once("message", (answer) => {
        this.#process.off("exit", onExit);
        resolve(answer as Answer);
      });
      this.#process.send(question);
    });
  }

  end(): void {
    if (this.#process.connected) this.#process.disconnect();
  }
}

/** In the program: answers questions until the channel is closed. */
export function serve<Question>(answer: (question: Question) => Promise<unknown>): void {
  process.on("disconnect", () => process.exit());
  process.on("message", (question: Question) => {
    void answer(question).then((value) => process.send?.(value ?? null));
  });
}
