// The leader cleans up for nodes that cannot: when it looks, and what it deletes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bootMs, wallMs } from "../../../src/core/time.ts";
import { StaleL2Statuses } from "../../../src/daemon/stale-l2-statuses.ts";
import { decodeOwnedObject } from "../../../src/k8s-sync/decode.ts";
import type { OwnedObject } from "../../../src/k8s-sync/model.ts";
import { failed, success } from "../../../src/k8s-sync/outcome.ts";
import { ip } from "../../support/ipam-requests.ts";

function statusOf(node: string): OwnedObject {
  const status = { node, serviceName: "web", serviceNamespace: "shop" };
  const object = decodeOwnedObject({ metadata: { name: `l2-${node}` }, status });
  assert.ok(object !== null);
  return object;
}

/** Nodes n1 to n3; n2 is down, and owns the address of shop/web until `owner` says otherwise. */
function bench() {
  const state = {
    now: 0,
    isLeader: true,
    nodes: ["n1", "n2", "n3"],
    down: ["n2"],
    owner: "n2",
    fails: false,
  };
  const selectors: string[] = [];
  const removed: string[] = [];
  const task = new StaleL2Statuses({
    clock: { boot: () => bootMs(state.now), wall: () => wallMs(0) },
    mayCollect: () => state.isLeader,
    nodes: () => state.nodes,
    down: () => state.down,
    owners: () => ({
      isNode: (node) => state.nodes.includes(node),
      addressesOf: () => [ip("10.0.0.1")],
      ownerOf: () => state.owner,
    }),
    list: async (selector) => {
      selectors.push(selector.replace(/^.* notin /, ""));
      return state.fails ? failed("forbidden", "") : success([statusOf("n2"), statusOf("n9")]);
    },
    remove: async ({ metadata }) => void removed.push(metadata.name),
  });
  const look = async (milliseconds = 2_000): Promise<string[]> => {
    state.now += milliseconds;
    await task.look();
    return removed.splice(0);
  };
  return { state, selectors, look };
}

test("a node that is gone is cleaned up for at once, by nobody but the leader", async () => {
  const { state, selectors, look } = bench();
  state.isLeader = false;
  assert.deepEqual(await look(), []);
  assert.deepEqual(selectors, []);
  state.isLeader = true;
  assert.deepEqual(await look(), ["l2-n9"]);
  assert.deepEqual(selectors, ["(n1,n3)"]);
});

test("a node that is down is cleaned up for when another owns its addresses", async () => {
  const { state, look } = bench();
  await look();
  state.owner = "n1";
  assert.deepEqual(await look(), [], "it was looked at just now");
  assert.deepEqual(await look(30_000), ["l2-n2", "l2-n9"]);
});

test("while all nodes are well, it is looked when one comes or goes, and else never", async () => {
  const { state, selectors, look } = bench();
  state.down = [];
  for (let i = 0; i < 100; i++) await look(60_000);
  assert.deepEqual(selectors, ["(n1,n2,n3)"]);
  state.nodes = ["n1", "n3"];
  assert.deepEqual(await look(), ["l2-n2", "l2-n9"]);
});

test("a list that fails, as without the resource, is not tried again in a hurry", async () => {
  const { state, selectors, look } = bench();
  state.fails = true;
  for (let i = 0; i < 10; i++) await look();
  assert.equal(selectors.length, 1);
  state.fails = false;
  assert.deepEqual(await look(30_000), ["l2-n9"]);
});
