// A long-lived TCP connection from the lab's client to a backend, over which bytes go both ways all
// the time.

import { join } from "node:path";
import type { StreamQuestion, StreamReport } from "./echo-stream-program.ts";
import type { Lab } from "./lab.ts";
import { LabProgram } from "./lab-program.ts";

const PROGRAM = join(import.meta.dirname, "echo-stream-program.ts");

export class EchoStream {
  readonly #program: LabProgram<StreamQuestion, StreamReport>;

  private constructor(program: LabProgram<StreamQuestion, StreamReport>) {
    this.#program = program;
  }

  /** Returns when the first line has come back; rejects when the connection is refused. */
  static async open(lab: Lab, address: string, port: number): Promise<EchoStream> {
    const program = new LabProgram<StreamQuestion, StreamReport>(lab, lab.client, [PROGRAM]);
    await program.ask({ kind: "open", address, port });
    return new EchoStream(program);
  }

  /** Of the time since the last report, or since it was opened. */
  report(): Promise<StreamReport> {
    return this.#program.ask({ kind: "report" });
  }

  close(): void {
    this.#program.end();
  }
}
