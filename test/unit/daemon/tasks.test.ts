// Tests of background activities: all run until the signal, one that fails ends all, and what they
// still have to undo is waited for.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { Task } from "../../../src/daemon/tasks.ts";
import { aborted, allReady, runTasks } from "../../../src/daemon/tasks.ts";

/** Runs until aborted, then writes its name down. */
function patient(name: string, log: string[]): Task {
  return {
    name,
    run: async (signal) => {
      await aborted(signal);
      // Undoing something takes a while.
      await turn();
      log.push(name);
    },
  };
}

function failing(name: string, thrown: unknown): Task {
  return { name, run: () => Promise.reject(thrown) };
}

test("runTasks() stops all when one fails, waits for them, and rejects", async () => {
  const log: string[] = [];
  const reason = new Error("no netlink");
  const tasks = [patient("a", log), failing("b", reason), patient("c", log)];
  await assert.rejects(runTasks(tasks, new AbortController().signal), reason);
  assert.deepEqual(log, ["a", "c"]);
});

test("runTasks() rejects with the first of several failures", async () => {
  const first = new Error("first");
  const second: Task = {
    name: "second",
    run: async (signal) => {
      await aborted(signal);
      throw new Error("second, while stopping");
    },
  };
  const tasks = [second, failing("first", first)];
  await assert.rejects(runTasks(tasks, new AbortController().signal), first);
});

test("runTasks() takes a run that throws at once for a failure like any other", async () => {
  const log: string[] = [];
  const thrower: Task = {
    name: "thrower",
    run: () => {
      throw new Error("at once");
    },
  };
  const running = runTasks([patient("a", log), thrower], new AbortController().signal);
  await assert.rejects(running, /at once/);
  assert.deepEqual(log, ["a"]);
});

test("runTasks() rejects although what was thrown is nothing", async () => {
  const running = runTasks([failing("a", undefined)], new AbortController().signal);
  const outcome = await running.then(
    () => "resolved",
    () => "rejected",
  );
  assert.equal(outcome, "rejected");
});

test("runTasks() goes on when a task has nothing more to do", async () => {
  const log: string[] = [];
  const done: Task = { name: "done", run: async () => void log.push("done") };
  const abort = new AbortController();
  let hasEnded = false;
  const running = runTasks([done, patient("a", log)], abort.signal).then(() => {
    hasEnded = true;
  });
  await turn();
  assert.deepEqual([log, hasEnded], [["done"], false]);
  abort.abort();
  await running;
  assert.deepEqual(log, ["done", "a"]);
});

test("runTasks() ends all at the signal, also at one that came before", async () => {
  const log: string[] = [];
  await runTasks([patient("a", log), patient("b", log)], AbortSignal.abort());
  assert.deepEqual(log, ["a", "b"]);
  await runTasks([], new AbortController().signal);
});

test("allReady() waits for every task that has something to wait for", async () => {
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const tasks: Task[] = gates.map(({ promise }, i) => {
    return { name: `${i}`, ready: promise, run: async () => {} };
  });
  let isReady = false;
  const all = allReady([...tasks, failing("without", null)]).then(() => {
    isReady = true;
  });
  gates[1]?.resolve();
  await turn();
  assert.equal(isReady, false);
  gates[0]?.resolve();
  await all;
});

test("aborted() resolves with the signal, and at once when it has been", async () => {
  const abort = new AbortController();
  let isOver = false;
  const over = aborted(abort.signal).then(() => {
    isOver = true;
  });
  await turn();
  assert.equal(isOver, false);
  abort.abort();
  await over;
  await aborted(abort.signal);
});
