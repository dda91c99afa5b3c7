// Tests of how the way over is gone, with a clock that the test moves: one line a step, limits of
// what is waited for, an API server that is away, and somebody who undoes it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { TakeoverRun } from "../../../src/cli/takeover-run.ts";
import { AppError } from "../../../src/core/errors.ts";
import { bootMs } from "../../../src/core/time.ts";
import type { Deed, Step, TakeoverState } from "../../../src/migration/takeover-state.ts";
import { nodeState, takeoverState } from "../../support/takeover.ts";

const SCALE: Deed = { do: "scale-controller", replicas: 0, isBack: false };
const AWAY = new AppError("API_UNREACHABLE", "Cannot list nodes: nobody answers");

interface World {
  /** What comes next, by the look. */
  readonly steps: readonly Step[];
  readonly state?: TakeoverState;
  /** Whether each attempt gets through; default: all do. */
  readonly performs?: readonly boolean[];
  /** Looks that fail. */
  readonly away?: (look: number, now: number) => boolean;
}

/** The last of the steps comes again and again. */
async function gone({ steps, state = takeoverState(), performs = [], away }: World) {
  let now = 0;
  let looks = 0;
  let seen = 0;
  let attempts = 0;
  const said: string[] = [];
  const run = new TakeoverRun(
    {
      read: async () => {
        looks += 1;
        if (away?.(looks, now)) throw AWAY;
        return state;
      },
      perform: async () => performs[attempts++] ?? true,
      say: (text) => said.push(text),
      now: () => bootMs(now),
      sleep: async (milliseconds) => {
        now += milliseconds;
      },
    },
    {
      direction: "over",
      next: () => steps[Math.min(seen++, steps.length - 1)] ?? { end: "done" },
    },
  );
  const failure = await run.run().then(
    () => null,
    (thrown: unknown) => (thrown instanceof AppError ? thrown : assert.fail(String(thrown))),
  );
  return { failure, said, now, attempts };
}

test("TakeoverRun says each step once, however often it looks", async () => {
  const wait = { wait: "controller-gone", node: null } as const;
  const { failure, said } = await gone({ steps: [SCALE, wait, wait, wait, { end: "done" }] });
  assert.equal(failure, null);
  assert.deepEqual(said, [
    'Deployment "controller": scaled from 1 to 0; lbd gives addresses',
    "waiting for the controller's pods to go",
  ]);
});

interface Late {
  readonly step: Step;
  readonly state?: TakeoverState;
  readonly code: string;
  readonly seconds: number;
  readonly words: RegExp;
}

const lbd = (kind: "absent" | "expired" | "untold") =>
  takeoverState({ nodes: [nodeState("n1", { lbd: { kind } })] });
const UNOWNED = { service: "a/b", address: "10.0.0.1", speaker: "n1", owner: null };

const LATE: readonly Late[] = [
  {
    step: { wait: "lbd", node: "n1" },
    state: lbd("absent"),
    code: "REFUSED",
    seconds: 0,
    words:
      /node "n1": it has a speaker, and no lbd that is active: .* absent, or given up; start lbd/,
  },
  {
    step: { wait: "lbd", node: "n1" },
    state: lbd("untold"),
    code: "REFUSED",
    seconds: 0,
    words: /does not say whether it answers: its lbd is of an old version/,
  },
  {
    step: { wait: "lbd", node: "n1" },
    state: lbd("expired"),
    code: "REFUSED",
    seconds: 20,
    words: /its Lease "lbd-node-n1" is not renewed/,
  },
  {
    step: { wait: "owners", node: "n1" },
    state: takeoverState({ announced: [UNOWNED] }),
    code: "REFUSED",
    seconds: 20,
    words: /answers for what no lbd owns: 10\.0\.0\.1 \(a\/b\); lbctl explain/,
  },
  {
    step: { wait: "controller-gone", node: null },
    code: "DAEMON_TIMEOUT",
    seconds: 60,
    words:
      /pods are still there.*to go on, run it again: .*--take-over; the way back: .*--roll-back/,
  },
  {
    step: { wait: "speaker-gone", node: "n1" },
    code: "DAEMON_TIMEOUT",
    seconds: 120,
    words: /node "n1": its speaker's pod is still there/,
  },
  {
    step: { wait: "answers", node: "n1" },
    code: "DAEMON_TIMEOUT",
    seconds: 60,
    words: /node "n1": its lbd does not answer: lbctl status there/,
  },
];

for (const { step, state, code, seconds, words } of LATE) {
  const what = "wait" in step ? step.wait : "";
  test(`TakeoverRun gives up on "${what}" after ${seconds} s with ${code}: ${words}`, async () => {
    const { failure, now } = await gone({ steps: [step], ...(state && { state }) });
    assert.deepEqual([failure?.code, now / 1_000], [code, seconds]);
    assert.match(failure?.message ?? "", /^Cannot take over: /);
    assert.match(failure?.message ?? "", words);
  });
}

test("TakeoverRun gives each thing that it waits for its own time", async () => {
  const waits = ["n1", "n2", "n3"].flatMap((node) =>
    Array.from({ length: 100 }, (): Step => ({ wait: "answers", node })),
  );
  const { failure, now } = await gone({ steps: [...waits, { end: "done" }] });
  assert.deepEqual([failure, now], [null, 150_000]);
});

test("TakeoverRun repeats a step that did not get through, 20 times at most", async () => {
  const steps = [SCALE, SCALE, SCALE, { end: "done" }] as const;
  const once = await gone({ steps, performs: [false, false, true] });
  assert.deepEqual([once.failure, once.said.length, once.attempts], [null, 1, 3]);
  const never = await gone({ steps: [SCALE], performs: Array(100).fill(false) });
  assert.deepEqual([never.failure?.code, never.attempts], ["DAEMON_TIMEOUT", 20]);
});

test("TakeoverRun does not fight with somebody who undoes what it did", async () => {
  const { failure, attempts } = await gone({ steps: [SCALE, SCALE] });
  assert.deepEqual([failure?.code, attempts], ["REFUSED", 1]);
  assert.match(failure?.message ?? "", /somebody undoes it: "Deployment .*Argo CD or Flux/);
});

test("TakeoverRun waits a minute for an API server that goes away, and says so once", async () => {
  const short = await gone({
    steps: [SCALE, { end: "done" }],
    away: (look) => look > 1 && look < 9,
  });
  assert.equal(short.failure, null);
  assert.equal(short.said.filter((text) => text.startsWith("waiting for the API")).length, 1);
  const long = await gone({ steps: [SCALE], away: (look) => look > 1 });
  assert.deepEqual([long.failure?.code, long.now / 1_000], ["API_UNREACHABLE", 60]);
  const first = await gone({ steps: [SCALE], away: () => true });
  assert.deepEqual([first.failure?.code, first.now], ["API_UNREACHABLE", 0]);
});
