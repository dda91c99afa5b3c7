// Tests of the driver as the watchdog sees it: its count of steps moves while it drives, also when
// nothing answers, and stands still when it does not.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { ipv4FromNumber } from "../../../src/core/address.ts";
import { bootMs, wallMs } from "../../../src/core/time.ts";
import { LeaseWriter } from "../../../src/daemon/lease-writer.ts";
import { Namesake } from "../../../src/daemon/namesake.ts";
import { OwnershipDriver } from "../../../src/daemon/ownership-driver.ts";
import { LeaseClient } from "../../../src/k8s-sync/leases.ts";
import { DEFAULT_TIMINGS } from "../../../src/ownership/timings.ts";

/** A driver whose API takes every request and answers none. */
function unanswered(context: TestContext) {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  let now = 0;
  const told: string[] = [];
  const clock = { boot: () => bootMs(now), wall: () => wallMs(now) };
  const leases = new LeaseClient({ request: () => new Promise(() => {}) }, "lbd-system");
  const namesake = new Namesake(clock);
  const driver = new OwnershipDriver({
    node: "n1",
    identity: "n1/1",
    nodeUid: () => null,
    answers: () => "yes",
    timings: DEFAULT_TIMINGS,
    preempt: false,
    clock,
    leases,
    writer: new LeaseWriter({ leases, clock }),
    namesake,
    tellResponder: ({ type }) => told.push(type),
    onChange: () => {},
    onConflict: () => {},
    atOnce: (work) => work(),
    onRead: () => {},
    onUnread: () => {},
  });
  const pass = (seconds: number): void => {
    for (let i = 0; i < seconds; i++) {
      now += 1_000;
      context.mock.timers.tick(1_000);
    }
  };
  return { driver, namesake, pass, told };
}

test("OwnershipDriver.progress moves every 5 s, also while the API answers nothing", async (t) => {
  const { driver, pass } = unanswered(t);
  const abort = new AbortController();
  const running = driver.run(abort.signal);
  for (let i = 0; i < 20; i++) {
    const before = driver.progress;
    pass(6);
    assert.ok(driver.progress > before, `between ${i * 6} and ${i * 6 + 6} s`);
  }
  abort.abort();
  await running;
});

test("OwnershipDriver.progress stands still while it does not run, whatever is queued", (t) => {
  const { driver, pass } = unanswered(t);
  driver.post({ type: "tick" });
  pass(60);
  assert.equal(driver.progress, 0);
});

const address = ipv4FromNumber(0xc0_a8_01_09);
const NAMESAKE = { type: "name-conflict", interface: "eth0", address } as const;

for (const [what, isNewer, seconds, releases] of [
  ["an older host has its name", true, 80, false],
  ["that host is gone", true, 100, true],
  ["a newer host has its name", false, 0, true],
] as const) {
  const title = releases ? "releases" : "leaves the records alone";
  test(`OwnershipDriver.stop() ${title} when ${what}`, async (t) => {
    const { driver, namesake, pass, told } = unanswered(t);
    namesake.note({ ...NAMESAKE, isNewer });
    pass(seconds);
    const stopped = driver.stop(1_000);
    assert.deepEqual(told, releases ? ["state"] : []);
    if (releases) pass(1);
    await stopped;
  });
}
