// A long-lived TCP connection from the lab's client to a backend, over which bytes go both ways all
// the time.

import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { StreamQuestion, StreamReport } from "./echo-stream-program.ts";
import type { Lab } from "./lab.ts";
import { LabProgram } from "./lab-program.ts";

/** A line is sent every 10 ms; a segment that is lost comes 200 ms later. */
const GAP_MS_MAX = 500;
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

/** Opens a connection: it lives, and bytes come back, at every moment of `work` and after it. */
export async function carriesOn(
  lab: Lab,
  to: { readonly address: string; readonly port: number },
  work: () => Promise<void>,
): Promise<void> {
  const stream = await EchoStream.open(lab, to.address, to.port);
  try {
    await work();
    await sleep(GAP_MS_MAX);
    const { gapMs, lines, ended } = await stream.report();
    assert.equal(ended, null);
    assert.ok(gapMs < GAP_MS_MAX, `no byte for ${gapMs} ms`);
    assert.ok(lines > 0);
  } finally {
    stream.close();
  }
}
