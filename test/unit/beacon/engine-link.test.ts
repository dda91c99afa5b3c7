// Properties of two engines on a link that loses, doubles and reorders what they send: once it is
// good again, both know each other's table, restarts and all.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { entryOf } from "../../support/beacon-bench.ts";
import { BeaconLink, type Fate } from "../../support/beacon-link.ts";

const BAD_MS = 2_500;
const GOOD_MS = 2_000;

const anyDelay = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 400 }));
/** Lost, once, or up to three times. */
const anyFate: fc.Arbitrary<Fate> = fc.oneof(
  fc.constant([]),
  fc.tuple(anyDelay),
  fc.array(anyDelay, { minLength: 2, maxLength: 3 }),
);

/** Of one of the two: so many VIPs from one on, at an epoch; or a start anew. */
const anyAct = fc.record({
  at: fc.integer({ min: 0, max: BAD_MS }),
  who: fc.constantFrom(0, 1),
  kind: fc.constantFrom("grant", "grant", "revoke", "restart"),
  first: fc.nat(60),
  count: fc.constantFrom(1, 1, 3, 60),
  lease: fc.nat(9),
});

type Act = typeof anyAct extends fc.Arbitrary<infer T> ? T : never;

function linkWith(fates: readonly Fate[], acts: readonly Act[]): BeaconLink {
  const link = new BeaconLink(fates, BAD_MS);
  for (const { at, who, kind, first, count, lease } of acts) {
    const node = link.nodes[who === 0 ? 0 : 1];
    link.plan(at, () => {
      if (kind === "restart") return link.restart(node);
      for (let n = first; n < first + count; n++) {
        if (kind === "grant") link.grant(node, entryOf(n, lease));
        else link.revoke(node, entryOf(n).address);
      }
    });
  }
  return link;
}

function assertEqualViews({ nodes }: BeaconLink): void {
  for (const [node, other] of [nodes, nodes.toReversed()] as const) {
    assert.ok(node !== undefined && other !== undefined);
    assert.deepEqual(node.view, other.table, `what ${node.name} knows of ${other.name}`);
    const [peer] = node.engine.peers();
    assert.deepEqual([peer?.node, peer?.verdict], [other.name, "heard"]);
    assert.equal(node.lapses, 0, "all that it sent has left");
  }
}

test("BeaconEngine: two of them know each other's table when their link is good for 2 s", () => {
  const anyFates = fc.array(anyFate, { minLength: 1, maxLength: 40 });
  const anyActs = fc.array(anyAct, { maxLength: 12 });
  fc.assert(
    fc.property(anyFates, anyActs, (fates, acts) => {
      const link = linkWith(fates, acts);
      link.run(BAD_MS + GOOD_MS);
      assertEqualViews(link);
    }),
    { numRuns: 100 },
  );
});

test("BeaconEngine: two of them know each other's table half a second after a change", () => {
  fc.assert(
    fc.property(fc.array(anyAct, { minLength: 1, maxLength: 4 }), (acts) => {
      const changes = acts.map((act) => ({ ...act, kind: "grant" as const, at: 1_000 + act.at }));
      const last = Math.max(...changes.map(({ at }) => at));
      const link = linkWith([[1]], changes);
      link.run(last + 500);
      assertEqualViews(link);
    }),
    { numRuns: 30 },
  );
});
