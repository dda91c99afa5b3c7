// Tests of what systemd is told: the watchdog is fed while every part moves, and starves as soon as
// one of them is stuck, whatever else still runs.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { bootMs } from "../../../src/core/time.ts";
import { type Notifier, SystemdTask } from "../../../src/daemon/systemd-task.ts";

/** WatchdogSec of systemd/lbd.service. */
const WATCHDOG_MS = 15_000;

interface Part {
  /** How often it moves; null: it is stuck. */
  everyMs: number | null;
  count: number;
}

/** A task in mocked time; `pass` says at which seconds the watchdog was fed. */
function started(context: TestContext, parts: readonly Part[], watchdogMs = WATCHDOG_MS) {
  context.mock.timers.enable({ apis: ["setInterval", "setTimeout"] });
  const told: string[] = [];
  let status = "ok";
  const notifier: Notifier = {
    ready: () => void told.push("READY"),
    stopping: () => void told.push("STOPPING"),
    watchdog: () => void told.push("WATCHDOG"),
    sendStatus: (text) => void told.push(`STATUS ${text}`),
    watchdogInterval: () => watchdogMs,
  };
  const progress = () => parts.map((part) => part.count);
  let milliseconds = 0;
  const clock = { boot: () => bootMs(milliseconds) };
  const takes = { statusMs: 0 };
  const say = (): string => {
    milliseconds += takes.statusMs;
    return status;
  };
  const task = new SystemdTask({ status: say, progress, notifier, clock });
  const abort = new AbortController();
  const running = task.run(abort.signal);
  let passed = 0;
  const pass = (seconds: number): number[] => {
    const fedAt: number[] = [];
    for (let i = 0; i < seconds; i++) {
      passed += 1;
      for (const part of parts) {
        if (part.everyMs !== null && (passed * 1_000) % part.everyMs === 0) part.count += 1;
      }
      context.mock.timers.tick(1_000);
      if (told.includes("WATCHDOG")) fedAt.push(passed);
      told.splice(0, told.length, ...told.filter((text) => text !== "WATCHDOG"));
    }
    return fedAt;
  };
  const end = async (): Promise<void> => {
    abort.abort();
    await running;
  };
  const setStatus = (text: string): void => {
    status = text;
  };
  return { task, told, pass, end, setStatus, takes };
}

/** The longest time without food, from the start to `end`. */
function longestGapS(fedAt: readonly number[], end: number): number {
  const times = [0, ...fedAt, end];
  return Math.max(...times.slice(1).map((at, index) => at - (times[index] ?? 0)));
}

for (const everyMs of [1_000, 2_000, 4_000, 5_000, 7_000]) {
  test(`SystemdTask is in time when a part moves every ${everyMs} ms`, (context) => {
    const parts = [
      { everyMs: 1_000, count: 0 },
      { everyMs, count: 0 },
    ];
    const { pass } = started(context, parts);
    assert.ok(longestGapS(pass(300), 300) < WATCHDOG_MS / 1_000);
  });
}

test("SystemdTask feeds when the parts move in turns, never together", (context) => {
  const parts: Part[] = [
    { everyMs: null, count: 0 },
    { everyMs: null, count: 0 },
  ];
  const { pass } = started(context, parts);
  let fed = 0;
  for (let turn = 0; turn < 20; turn++) {
    const part = parts[turn % 2];
    assert.ok(part !== undefined);
    part.count += 1;
    fed += pass(5).length;
  }
  assert.equal(fed, 10);
});

for (const stuck of [0, 1]) {
  test(`SystemdTask starves when part ${stuck} is stuck, though the other moves`, (context) => {
    const parts: Part[] = [
      { everyMs: 1_000, count: 0 },
      { everyMs: 1_000, count: 0 },
    ];
    const { pass } = started(context, parts);
    assert.ok(pass(20).length > 0);
    const part = parts[stuck];
    assert.ok(part !== undefined);
    part.everyMs = null;
    // What moved before it got stuck may still be told once.
    pass(5);
    assert.deepEqual(pass(60), []);
    part.everyMs = 1_000;
    assert.ok(pass(5).length > 0);
  });
}

test("SystemdTask does not feed a watchdog that systemd does not want", (context) => {
  const { pass } = started(context, [{ everyMs: 1_000, count: 0 }], 0);
  assert.deepEqual(pass(60), []);
});

test("SystemdTask tells READY, a status when it is new, and STOPPING", async (context) => {
  const { task, told, pass, end, setStatus } = started(context, []);
  task.tellReady();
  pass(10);
  setStatus("degraded");
  pass(10);
  await end();
  assert.deepEqual(told, ["STATUS ok", "READY", "STATUS degraded", "STOPPING"]);
});

test("SystemdTask says a status less often that takes long to make", (context) => {
  const { told, pass, setStatus, takes } = started(context, []);
  const toldAfter = (text: string): number => {
    setStatus(text);
    for (let seconds = 1; ; seconds++) {
      pass(1);
      if (told.includes(`STATUS ${text}`)) return seconds;
    }
  };
  assert.equal(toldAfter("quick"), 2);
  takes.statusMs = 40;
  assert.equal(toldAfter("slow at last"), 2, "what it takes is known thereafter");
  assert.equal(toldAfter("slow"), 8);
  takes.statusMs = 4_000;
  assert.equal(toldAfter("stuck at last"), 8);
  assert.equal(toldAfter("stuck"), 30);
});

test("SystemdTask without systemd tells nothing, and ends with the signal", async () => {
  const task = new SystemdTask({
    status: () => assert.fail("nobody asks"),
    progress: () => assert.fail("nobody asks"),
    notifier: null,
    clock: { boot: () => bootMs(0) },
  });
  task.tellReady();
  const abort = new AbortController();
  const running = task.run(abort.signal);
  abort.abort();
  await running;
});
