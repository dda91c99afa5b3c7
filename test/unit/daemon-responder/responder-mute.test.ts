// Tests of a responder that is muted, as somebody else answers from this host: no answer and no
// announcement, whatever is granted; beacons go on, and all of it is announced afterwards.

import assert from "node:assert/strict";
import { test } from "node:test";
import { announcement, Harness, OTHER_NODE, request, VIP } from "./loop-harness.ts";

test("a muted responder answers and announces nothing, and takes nobody for a conflict", () => {
  const harness = new Harness();
  harness.grant();
  harness.pass(10_000);
  const before = harness.count("sent");
  harness.loop.receive({ type: "mute", isMuted: true });
  harness.loop.receive({ type: "announce", address: VIP });
  harness.socket().deliver([request(), announcement(OTHER_NODE)]);
  harness.pass(10_000);
  assert.equal(harness.count("sent"), before);
  assert.equal(harness.count("answered"), 0);
  assert.equal(harness.count("muted"), 2);
  assert.deepEqual(harness.heard(), []);
});

test("a responder that is not muted any more announces what it has, and answers", () => {
  const harness = new Harness();
  harness.loop.receive({ type: "mute", isMuted: true });
  harness.grant();
  harness.socket().sent.length = 0;
  harness.loop.receive({ type: "mute", isMuted: false });
  assert.deepEqual(
    harness.socket().sent.map(({ operation, senderIp }) => [operation, senderIp]),
    [
      ["request", VIP],
      ["reply", VIP],
    ],
  );
  harness.socket().deliver([request()]);
  assert.equal(harness.count("answered"), 1);
});
