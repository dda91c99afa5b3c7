// Tests of the rank order: MetalLB's own order by golden vectors, and what a migration relies on.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Ranking } from "../../../src/ownership/ranking.ts";
import { ip, sha256, VIP } from "../../support/ownership-words.ts";

interface Golden {
  readonly nodes: string;
  readonly address: string;
  readonly order: string;
}

/** From MetalLB's speaker, winner first. */
const GOLDEN: readonly Golden[] = [
  { nodes: "iris1 iris2", address: "10.20.30.1", order: "iris2 iris1" },
  { nodes: "iris1 iris2", address: "10.20.30.2", order: "iris1 iris2" },
  { nodes: "node-a node-b node-c", address: "192.168.1.240", order: "node-a node-c node-b" },
  { nodes: "node-a node-b node-c", address: "192.168.1.241", order: "node-c node-a node-b" },
  { nodes: "node-a node-b node-c", address: "2001:db8::10", order: "node-b node-a node-c" },
  { nodes: "n1 n2 n3 n4 n5", address: "192.168.1.240", order: "n4 n1 n5 n3 n2" },
];

for (const { nodes, address, order } of GOLDEN) {
  test(`Ranking.order() ranks ${nodes} for ${address} as MetalLB does`, () => {
    const ranking = new Ranking(sha256);
    const given = nodes.split(" ");
    assert.equal(ranking.order(given, ip(address)).join(" "), order);
    assert.equal(ranking.order(given.toReversed(), ip(address)).join(" "), order, "reversed");
    const positions = order.split(" ").map((node) => ranking.position(node, given, ip(address)));
    assert.deepEqual(positions, [...positions.keys()]);
  });
}

test("Ranking.order() leaves what it is given as it is", () => {
  const given = Object.freeze(["node-b", "node-c", "node-a"]);
  assert.deepEqual(new Ranking(sha256).order(given, VIP), ["node-a", "node-c", "node-b"]);
  assert.deepEqual(new Ranking(sha256).order([], VIP), []);
});

test("Ranking.position() of a node that is not among the nodes is where it would be", () => {
  const ranking = new Ranking(sha256);
  assert.equal(ranking.position("node-c", ["node-a", "node-b"], VIP), 1);
  assert.equal(ranking.position("node-c", [], VIP), 0);
});

test("Ranking.forget() drops the scores of one address, which are computed once otherwise", () => {
  const hashed: string[] = [];
  const ranking = new Ranking((text) => {
    hashed.push(text);
    return sha256(text);
  });
  const other = ip("192.168.1.241");
  const orderBoth = (): string[] => {
    ranking.order(["node-a", "node-b"], VIP);
    ranking.order(["node-a", "node-b"], other);
    return hashed.splice(0).sort();
  };
  const ofVip = ["node-a#192.168.1.240", "node-b#192.168.1.240"];
  assert.deepEqual(orderBoth(), [...ofVip, "node-a#192.168.1.241", "node-b#192.168.1.241"].sort());
  assert.deepEqual(orderBoth(), []);
  ranking.forget(VIP);
  assert.deepEqual(orderBoth(), ofVip);
});

test("Ranking.order() of the others stays when a node leaves, for any nodes and address", () => {
  const anyNodes = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,6}$/), {
    minLength: 1,
    maxLength: 8,
  });
  const anyAddress = fc.nat(255).map((last) => ip(`10.0.0.${last}`));
  const property = fc.property(anyNodes, anyAddress, fc.nat(7), (nodes, address, index) => {
    const order = new Ranking(sha256).order(nodes, address);
    assert.deepEqual(order.toSorted(), nodes.toSorted());
    const gone = nodes[index % nodes.length];
    const rest = nodes.filter((node) => node !== gone);
    const expected = order.filter((node) => node !== gone);
    assert.deepEqual(new Ranking(sha256).order(rest, address), expected);
  });
  fc.assert(property, { numRuns: 200 });
});
