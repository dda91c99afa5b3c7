// Tests of the words for why a VIP was taken over.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ip } from "../../../src/core/address.ts";
import { epochOf } from "../../../src/core/epoch.ts";
import { bootMs } from "../../../src/core/time.ts";
import { takeoverEvidence } from "../../../src/daemon/takeover-evidence.ts";
import type { ClaimCause } from "../../../src/ownership/types.ts";
import type { Silence } from "../../../src/ownership/views.ts";
import {
  member,
  peerHeard,
  peerSilent,
  Story,
  VIP,
  vipRecord,
} from "../../support/ownership-words.ts";

function evidence(cause: ClaimCause, silence: Silence | null, previousOwner: string | null = "n1") {
  const about = { type: "gained", address: "10.0.0.1" as Ip, epoch: epochOf(2) } as const;
  const change = { ...about, cause, previousOwner };
  return takeoverEvidence(change, { silence: () => silence }, bootMs(5_342));
}

test("takeoverEvidence() of a silent owner names who is heard, and measures the gap", () => {
  const silence = { from: bootMs(5_000), interface: "eth0", heard: ["n2", "n3"] };
  const expected =
    "no beacon, no answer on eth0; heard there: n2, n3; unanswered for 342 ms at most";
  assert.equal(evidence("owner-silent", silence), expected);
  assert.match(evidence("owner-silent", { ...silence, heard: [] }), /heard there: nobody;/);
});

const ROWS: readonly (readonly [ClaimCause, RegExp])[] = [
  ["owner-down", /^its node Lease was not renewed$/],
  ["owner-stopped", /^it gave its node Lease up$/],
  ["owner-mute", /two nodes asked/],
  ["unheld", /^$/],
  ["resumed", /^$/],
  ["handed-over", /^$/],
];
for (const [cause, words] of ROWS) {
  test(`takeoverEvidence() of "${cause}"`, () => assert.match(evidence(cause, null), words));
}

test("takeoverEvidence() says nothing of a silence that is over, or of nobody's", () => {
  assert.equal(evidence("owner-silent", null), "");
  assert.equal(evidence("owner-silent", null, null), "");
});

test("views.silence() counts from the last beacon of a silent node, and names who is heard", () => {
  const vips = [vipRecord("node-b", 1, 60)];
  const story = Story.joined({ vips, members: [member("node-b"), member("node-c")] });
  for (const node of ["node-b", "node-c"]) story.step(peerHeard(node, 400), 400);
  const { views } = story.machine;
  assert.equal(views.silence("node-b", VIP), null, "it is heard");
  story.step(peerSilent("node-b", 1_000), 1_000);
  const silence = views.silence("node-b", VIP);
  assert.deepEqual(silence, { from: 700, interface: "eth0", heard: ["node-c"] });
  assert.equal(views.silence("node-d", VIP), null, "it was never heard");
  assert.equal(views.silence("node-b", "192.168.1.9" as Ip), null, "that is no VIP");
});
