// A fault counts as effective only when it changed something; moves are put down to those that did.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Cluster } from "./support/cluster.ts";
import { FAULTS, injectOne } from "./support/faults.ts";
import { Fault, type KindFigures } from "./support/harm.ts";
import { oneSegment } from "./support/topology.ts";

const SETTLE_MS = 10_000;

/** Injects one fault of the kind into a cluster where all is well. */
function inject(kind: string, nodes: number): KindFigures | undefined {
  const cluster = new Cluster({ seed: 4, topology: oneSegment(nodes, 1) });
  cluster.startAll();
  cluster.run(SETTLE_MS);
  injectOne(
    cluster,
    FAULTS.filter(({ name }) => name === kind),
  );
  cluster.run(SETTLE_MS);
  return cluster.ledger.figures.get(kind);
}

const ROWS: readonly (readonly [string, string, number, number])[] = [
  ["nobody is there to be cut off from", "partition", 1, 0],
  ["nobody is there that is not heard", "deaf", 1, 0],
  ["beacons that nobody waits for are filtered", "beacons-filtered", 1, 0],
  ["frames that nobody sends are lost", "frames-lost", 1, 0],
  ["timers did not go off", "crash", 1, 1],
  ["the node Lease is not renewed", "api-cut", 1, 1],
  ["beacons are missed", "deaf", 2, 1],
  ["beacons are filtered", "beacons-filtered", 2, 1],
  ["frames are lost", "frames-lost", 2, 1],
  ["an owner releases what it may not have", "node-forbidden", 1, 1],
];

for (const [name, kind, nodes, effective] of ROWS) {
  test(`${kind} with ${nodes} nodes has ${effective} effect: ${name}`, () => {
    assert.deepEqual(inject(kind, nodes), { injected: 1, effective, moves: 0 });
  });
}

test("a move is put down to the fault that led to it", () => {
  const cluster = new Cluster({ seed: 2, topology: oneSegment(3, 1) });
  cluster.startAll();
  cluster.run(SETTLE_MS);
  const [owner = ""] = cluster.vips.flatMap((vip) => cluster.answering(vip));
  const fault = new Fault("crash", cluster.queue.now);
  cluster.ledger.add(fault);
  cluster.node(owner).crash(fault);
  cluster.run(1_000);
  assert.equal(cluster.oracle.figures.moves, 1);
  assert.equal(cluster.ledger.figures.get("crash")?.moves, 1);
});
