// Tests of what the responder's loop remembers: every frame with its outcome, and its decisions.

import assert from "node:assert/strict";
import { test } from "node:test";
import { framesView } from "../../../src/daemon/frames-view.ts";
import { announcement, Harness, OTHER_NODE, request, VIP } from "./loop-harness.ts";

function logOf(harness: Harness) {
  harness.loop.receive({ type: "frames" });
  const message = harness.posted.findLast(({ type }) => type === "frames");
  assert.ok(message?.type === "frames");
  const clock = { boot: () => harness.now, wall: () => harness.now as number as never };
  return framesView(message.log, clock);
}

test("the loop tells of each frame with its outcome, in the order of time", () => {
  const harness = new Harness();
  harness.grant();
  harness.socket().deliver([request()]);
  harness.pass(100);
  harness.socket().deliver([announcement(OTHER_NODE)]);
  harness.pass(100);
  harness.socket().deliver([request(), new Uint8Array(10)]);
  const { frames } = logOf(harness);
  assert.deepEqual(
    frames.map((one) => [one.interface, one.outcome]),
    [
      ["eth0", "answered"],
      ["eth0", "heard-announcement"],
      ["eth0", "answered"],
      ["eth0", "malformed-short"],
    ],
  );
  const at = frames.map((one) => Date.parse(one.at));
  assert.deepEqual(at, at.toSorted());
});

test("the loop tells of the tenure's begin, of grants and of revocations", () => {
  const harness = new Harness();
  harness.grant();
  harness.loop.receive({ type: "revoke", address: VIP });
  const texts = logOf(harness).decisions.map(({ text }) => text);
  const wanted = ["tenure begins on eth0", `grant ${VIP} at epoch 3 on eth0`, `revoke ${VIP}`];
  const found = texts.filter((text) => wanted.includes(text));
  assert.deepEqual(found, wanted);
});

test("the loop tells no byte of a key", () => {
  const harness = new Harness();
  harness.grant();
  harness.loop.receive({ type: "frames" });
  const message = harness.posted.findLast(({ type }) => type === "frames");
  const text = JSON.stringify(message);
  assert.ok(!text.includes("07".repeat(32)) && !/"0":7,"1":7,"2":7/.test(text));
});
