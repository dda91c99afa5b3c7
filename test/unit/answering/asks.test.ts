// Tests of the questions to a segment: asked again without an answer, over after half a second.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Asks } from "../../../src/answering/asks.ts";
import type { Ip } from "../../../src/core/address.ts";
import type { Mac } from "../../../src/core/mac.ts";
import { bootMs, NEVER } from "../../../src/core/time.ts";

const VIP = "10.0.0.1" as Ip;
const [A, B] = ["02:00:00:00:00:0a" as Mac, "02:00:00:00:00:0b" as Mac];
const about = { address: VIP, interface: "eth0" };
const NOTHING = { again: [], alone: [], over: [] };
const UNANSWERED = { ...about, macs: [], isDeaf: false };

function asking(): Asks {
  const asks = new Asks();
  asks.begin(about, bootMs(0));
  return asks;
}

test("Asks.take() asks once more when nobody has answered, and tells that nobody did", () => {
  const asks = asking();
  assert.equal(asks.nextDeadline(), 250);
  assert.deepEqual(asks.take(bootMs(249)), NOTHING);
  assert.deepEqual(asks.take(bootMs(250)), { ...NOTHING, again: [about] });
  assert.equal(asks.nextDeadline(), 500);
  assert.deepEqual(asks.take(bootMs(400)), NOTHING);
  assert.deepEqual(asks.take(bootMs(500)), { ...NOTHING, over: [UNANSWERED] });
  assert.equal(asks.nextDeadline(), NEVER);
});

test("Asks.take() asks nobody again who has answered, and tells each that did once", () => {
  const asks = asking();
  for (const mac of [A, B, A]) asks.answered(VIP, "eth0", mac);
  assert.deepEqual(asks.take(bootMs(300)), NOTHING);
  assert.deepEqual(asks.take(bootMs(600)).over, [{ ...UNANSWERED, macs: [A, B] }]);
});

test("Asks.answered() of what was not asked, or asked elsewhere, is nothing", () => {
  const asks = asking();
  asks.answered(VIP, "eth1", A);
  asks.answered("10.0.0.2" as Ip, "eth0", A);
  assert.deepEqual(asks.take(bootMs(500)).over, [UNANSWERED]);
  asks.answered(VIP, "eth0", A);
  assert.deepEqual(asks.take(bootMs(900)), NOTHING);
});

test("Asks.take() asks the owner alone when nobody has answered, and tells whether it did", () => {
  for (const [who, isDeaf] of [
    [A, true],
    [B, false],
  ] as const) {
    const asks = new Asks();
    asks.begin(about, bootMs(0), { owner: A });
    asks.take(bootMs(250));
    assert.deepEqual(asks.take(bootMs(500)), { ...NOTHING, alone: [{ ...about, to: A }] });
    assert.equal(asks.nextDeadline(), 750);
    asks.answered(VIP, "eth0", who);
    assert.deepEqual(asks.take(bootMs(750)), { ...NOTHING, over: [{ ...UNANSWERED, isDeaf }] });
  }
});

test("Asks.take() asks nobody alone when somebody has answered", () => {
  const asks = new Asks();
  asks.begin(about, bootMs(0), { owner: A });
  asks.answered(VIP, "eth0", B);
  assert.deepEqual(asks.take(bootMs(500)), { ...NOTHING, over: [{ ...UNANSWERED, macs: [B] }] });
});
