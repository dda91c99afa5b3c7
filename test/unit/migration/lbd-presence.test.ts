// Tests of what a node Lease says of a node's lbd, with clocks that agree and clocks that do not.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bootMs, toMicroTime, wallMs } from "../../../src/core/time.ts";
import { LbdPresence } from "../../../src/migration/lbd-presence.ts";

const NOW = 1_800_000_000_000;
const HOUR = 3_600_000;

function lease(renewedAt: number, answers: string | null = "yes", holder = "n1_1"): object {
  const annotations = answers === null ? {} : { "lbd.io/answers": answers };
  const renewTime = toMicroTime(wallMs(renewedAt));
  const spec = { holderIdentity: holder, leaseDurationSeconds: 15, renewTime };
  return { metadata: { name: "lbd-node-n1", annotations }, spec };
}

const at = (ms: number) => ({ wall: wallMs(NOW + ms), boot: bootMs(ms) });

const FIRST: readonly (readonly [name: string, raw: unknown, kind: string])[] = [
  ["that is not there", null, "absent"],
  ["that is no Lease", { metadata: 3 }, "absent"],
  ["that was given up", lease(NOW, "yes", ""), "absent"],
  ["of long ago", lease(NOW - 16_000), "expired"],
  ["of the far future", lease(NOW + 16_000), "expired"],
  ["that says nothing", lease(NOW, null), "untold"],
  ["of one that answers", lease(NOW - 14_000), "answers"],
  ["of one that does not", lease(NOW, "no: it sleeps"), "silent"],
  ["of one that says something else", lease(NOW, "perhaps"), "silent"],
];

for (const [name, raw, kind] of FIRST) {
  test(`LbdPresence.state() of a Lease ${name} is "${kind}"`, () => {
    assert.equal(new LbdPresence().state("n1", raw, at(0)).kind, kind);
  });
}

test("LbdPresence.state() tells why a node does not answer", () => {
  const state = new LbdPresence().state("n1", lease(NOW, "no: a speaker runs"), at(0));
  assert.deepEqual(state, { kind: "silent", why: "a speaker runs" });
});

test("LbdPresence takes a Lease for fresh whose clock is wrong, once it was seen renewed", () => {
  const presence = new LbdPresence();
  const kinds = [0, 5_000, 10_000].map((ms) =>
    presence.state("n1", lease(NOW - HOUR + ms), at(ms)),
  );
  assert.deepEqual(
    kinds.map(({ kind }) => kind),
    ["expired", "answers", "answers"],
  );
});

test("LbdPresence takes a Lease for expired that is not renewed for its duration here", () => {
  const presence = new LbdPresence();
  const raw = lease(NOW + 14_000);
  assert.equal(presence.state("n1", raw, at(0)).kind, "answers");
  assert.equal(presence.state("n1", raw, at(15_000)).kind, "answers");
  assert.equal(presence.state("n1", raw, at(15_001)).kind, "expired");
});
