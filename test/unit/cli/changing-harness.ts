// A command of lbctl run in this process against a made-up daemon, on timers that the test moves:
// what it asked, what it printed where, and how it ended.

import assert from "node:assert/strict";
import { syncBuiltinESMExports } from "node:module";
import type { TestContext } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { Command } from "commander";
import type { CommandPath, DrainView, MoveView, ResourcePath } from "../../../src/api/types.ts";
import { SCHEMA } from "../../../src/api/types.ts";
import type { Context, MakeContext } from "../../../src/cli/context.ts";
import { AppError } from "../../../src/core/errors.ts";
import { DRAIN, VIPS } from "../../support/fake-api-source.ts";

/** The daemon as a test tells it to be, at every moment anew. */
export interface FakeDaemon {
  drain: DrainView;
  moves: readonly MoveView[];
  /** Owner of 10.0.0.10, and what this node does about it; null: the address is gone. */
  vip: { owner: string | null; here: "owning" | "idle" } | null;
  /** Thrown at the next question. */
  failure: AppError | null;
  readonly asked: string[];
}

export interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** How long it waited. */
  readonly waitedMs: number;
}

export interface Harness {
  readonly daemon: FakeDaemon;
  /** Runs the command to its end; `at` is called before each 100 ms that it waits. */
  readonly run: (args: readonly string[], at?: (waitedMs: number) => void) => Promise<Ended>;
}

const STEP_MS = 100;

export function commandsOf(
  t: TestContext,
  addCommand: (program: Command, context: MakeContext) => void,
): Harness {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.timers.reset();
    syncBuiltinESMExports();
  });
  const daemon: FakeDaemon = {
    drain: DRAIN,
    moves: [],
    vip: { owner: "n1", here: "owning" },
    failure: null,
    asked: [],
  };
  const run: Harness["run"] = async (args, at = () => {}) => {
    const out = { stdout: "", stderr: "", status: 0 };
    const context: Context = {
      client: clientOf(daemon),
      show: (answer, table) => {
        out.stdout += table(answer, { wide: false });
      },
      line: (answer, text) => {
        out.stdout += `${text(answer)}\n`;
      },
      write: (text) => {
        out.stdout += text;
      },
      say: (text) => {
        out.stderr += `lbctl: ${text}\n`;
      },
      exitWith: (status) => {
        out.status = status;
      },
    };
    const program = new Command("lbctl");
    addCommand(program, () => context);
    let isOver = false;
    const ended = program
      .parseAsync([...args], { from: "user" })
      .catch((thrown: unknown) => {
        if (!(thrown instanceof AppError)) throw thrown;
        out.status = thrown.exitStatus;
        out.stderr += `lbctl: ${thrown.message}\n`;
      })
      .finally(() => {
        isOver = true;
      });
    let waitedMs = 0;
    for (await turn(); !isOver; await turn()) {
      at(waitedMs);
      t.mock.timers.tick(STEP_MS);
      waitedMs += STEP_MS;
    }
    await ended;
    return { ...out, waitedMs };
  };
  return { daemon, run };
}

function clientOf(daemon: FakeDaemon): Context["client"] {
  const answer = (question: string, value: object): Promise<never> => {
    daemon.asked.push(question);
    if (daemon.failure !== null) return Promise.reject(daemon.failure);
    return Promise.resolve({ schema: SCHEMA, ...value } as never);
  };
  return {
    follow: () => assert.fail("nothing is followed"),
    get: (path: ResourcePath) => {
      if (path === "/v1/drain") return answer("GET drain", { item: daemon.drain });
      if (path === "/v1/plan/rebalance") return answer("GET plan", { items: daemon.moves });
      const [first = VIPS[0], ...others] = VIPS;
      const items = daemon.vip === null ? others : [{ ...first, ...daemon.vip }, ...others];
      return answer("GET vips", { items });
    },
    post: (path: CommandPath, body: object) => {
      const question = `POST ${path.slice("/v1/".length)} ${JSON.stringify(body)}`;
      if (path === "/v1/move") {
        const { address, node } = body as { address: string; node: string };
        return answer(question, { item: { address, from: "n1", to: node } });
      }
      if (path === "/v1/rebalance") return answer(question, { items: daemon.moves });
      return answer(question, { item: daemon.drain });
    },
  };
}
