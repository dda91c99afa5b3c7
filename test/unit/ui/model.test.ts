// Tests of what the status page makes of the daemon's answers.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as model from "../../../src/ui/page/model.js";
import { HISTORY, NODES, STATUS, VIPS } from "../../support/fake-api-source.ts";

const ROW = { ...(HISTORY[0] ?? assert.fail("no row")), node: "n1", cause: "unheld", detail: "" };

interface Drawn {
  readonly node: string;
  readonly vips: readonly { address: string }[];
  readonly more: number;
}

const names = ({ vips }: Pick<Drawn, "vips">) => vips.map(({ address }) => address);

function drawn(vips: readonly object[], filter = "") {
  const { nodes, orphans } = model.nodesWithVips([...NODES], [...vips] as never[], filter);
  const boxes = (nodes as readonly Drawn[]).map((node) => [node.node, names(node)]);
  return { ...Object.fromEntries(boxes), nobody: names(orphans) };
}

test("nodesWithVips() draws each address with its owner, and with nobody that of nobody", () => {
  assert.deepEqual(drawn(VIPS), { n1: ["10.0.0.10"], n2: [], nobody: ["10.0.0.11"] });
});

test("nodesWithVips() draws an owner that the API knows no Node of", () => {
  assert.deepEqual(drawn([{ ...VIPS[0], owner: "gone" }]).gone, ["10.0.0.10"]);
});

test("nodesWithVips() draws what the filter is about: an address, a Service, an owner", () => {
  const about = (filter: string) => Object.values(drawn(VIPS, filter)).flat();
  assert.deepEqual(about(" SHOP/DB "), ["10.0.0.11"]);
  assert.deepEqual(about("10.0.0.10"), ["10.0.0.10"]);
  assert.deepEqual(about("n1"), ["10.0.0.10"]);
  assert.deepEqual(about("nobody"), ["10.0.0.11"]);
  assert.deepEqual(about("else"), []);
});

test("nodesWithVips() draws no more than 60 addresses of a node, and counts the others", () => {
  const many = Array.from({ length: 10_000 }, (_, n) => ({ ...VIPS[0], address: `a${n}` }));
  const { nodes } = model.nodesWithVips([...NODES], many as never[], "") as { nodes: Drawn[] };
  assert.deepEqual([nodes[0]?.vips.length, nodes[0]?.more], [60, 9_940]);
});

test("movedVips() are those with another owner than before; none at the first look", () => {
  const now = [{ ...VIPS[0], owner: "n2" }, VIPS[1], { ...VIPS[0], address: "new" }];
  assert.deepEqual([...model.movedVips(null, now)], []);
  assert.deepEqual([...model.movedVips([...VIPS], now)], ["10.0.0.10"]);
});

const NODE = { member: "alive", daemon: "live", excluded: null, jitterMs: null };
const NODE_TEXTS: readonly (readonly [object, string])[] = [
  [{}, "live"],
  [{ jitterMs: 1.26 }, "live, beacons 1.3 ms late"],
  [{ daemon: null }, "heard by its Lease alone"],
  [{ daemon: null, member: "down" }, "its Lease: down"],
  [{ excluded: "the Node is not Ready" }, "the Node is not Ready"],
];
for (const [changes, text] of NODE_TEXTS) {
  test(`nodeText() says "${text}"`, () =>
    assert.equal(model.nodeText({ ...NODE, ...changes }), text));
}

const ROW_TEXTS: readonly (readonly [object, string])[] = [
  [{ change: "gained" }, "10.0.0.10 went to n1 (unheld)"],
  [{ change: "moved", detail: "from n2" }, "10.0.0.10 went to n1 (unheld: from n2)"],
  [{ change: "lost" }, "10.0.0.10 was let go of by n1 (unheld)"],
  [{ change: "conflict", node: null }, "10.0.0.10: conflict (unheld)"],
];
for (const [changes, text] of ROW_TEXTS) {
  test(`rowText() says "${text}"`, () => {
    assert.equal(model.rowText({ ...ROW, address: "10.0.0.10", ...changes }), text);
  });
}

test("factsOf() names holdover only while there is one", () => {
  const facts = (holdover: boolean) =>
    model.factsOf({ ...STATUS, holdover }).map(([name]: string[]) => name);
  assert.ok(!facts(false).includes("holdover"));
  assert.ok(facts(true).includes("holdover"));
});

test("withRow() keeps the newest 200", () => {
  let rows: object[] = [];
  for (let n = 0; n < 300; n++) rows = model.withRow(rows, { n });
  assert.deepEqual([rows.length, rows[0]], [200, { n: 299 }]);
});

test("servicesText() names the first, and counts the others", () => {
  assert.equal(model.servicesText([]), "");
  assert.equal(model.servicesText(["a/b"]), "a/b");
  assert.equal(model.servicesText(["a/b", "c/d", "e/f"]), "a/b and 2 more");
});
