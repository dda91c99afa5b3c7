// Tests of EndpointSlices from the wire: what counts when a condition is missing or of other type,
// and what no server should send.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeEndpointSlice } from "../../../src/k8s-sync/decode.ts";
import { objectKey } from "../../../src/k8s-sync/model.ts";

const metadata = { name: "web-x", namespace: "shop" };

for (const raw of [undefined, null, 7, "x", [], {}, { metadata: {} }, { metadata: { name: 7 } }]) {
  test(`decodeEndpointSlice() refuses ${JSON.stringify(raw)}: it has no name`, () => {
    assert.equal(decodeEndpointSlice(raw), null);
  });
}

const NO_ENDPOINTS: readonly unknown[] = [
  undefined,
  null,
  7,
  "n1",
  {},
  { 0: { nodeName: "n1" } },
  [],
  [null, 7, "n1", true, [], [{ nodeName: "n1" }]],
];

for (const endpoints of NO_ENDPOINTS) {
  test(`decodeEndpointSlice() reads no endpoint in ${JSON.stringify(endpoints)}`, () => {
    assert.deepEqual(decodeEndpointSlice({ metadata, endpoints })?.endpoints, []);
  });
}

type Row = readonly [name: string, conditions: unknown, isReady: boolean, isServing: boolean];

const CONDITIONS: readonly Row[] = [
  ["no conditions", undefined, true, true],
  ["null for conditions", null, true, true],
  ["a list for conditions", [{ ready: false }], true, true],
  ["a text for conditions", "ready", true, true],
  ["empty conditions", {}, true, true],
  ["null for each", { ready: null, serving: null }, true, true],
  ["texts for each", { ready: "false", serving: "false" }, true, true],
  ["numbers for each", { ready: 0, serving: 0 }, true, true],
  ["ready alone", { ready: true }, true, true],
  ["not ready alone: it does not serve", { ready: false }, false, false],
  ["not ready, and null for serving", { ready: false, serving: null }, false, false],
  ["not ready, and serving", { ready: false, serving: true, terminating: true }, false, true],
  ["ready, and not serving", { ready: true, serving: false }, true, false],
  ["serving alone", { serving: true }, true, true],
  ["not serving alone", { serving: false }, true, false],
  ["terminating alone", { terminating: true }, true, true],
];

for (const [name, conditions, isReady, isServing] of CONDITIONS) {
  test(`decodeEndpointSlice() of an endpoint with ${name}`, () => {
    const endpoints = [{ nodeName: "n1", conditions }];
    const decoded = decodeEndpointSlice({ metadata, endpoints });
    assert.deepEqual(decoded?.endpoints, [{ nodeName: "n1", isReady, isServing }]);
  });
}

for (const nodeName of [undefined, null, 7, {}, ["n1"]]) {
  test(`decodeEndpointSlice() takes ${JSON.stringify(nodeName)} for no node`, () => {
    const decoded = decodeEndpointSlice({ metadata, endpoints: [{ nodeName }] });
    assert.deepEqual(decoded?.endpoints, [{ nodeName: null, isReady: true, isServing: true }]);
  });
}

test("decodeEndpointSlice() keeps labels and endpoints, in their order, and drops the rest", () => {
  const labels = { "kubernetes.io/service-name": "web", bad: 7 };
  const decoded = decodeEndpointSlice({
    metadata: { ...metadata, uid: "u", resourceVersion: "8", labels, ownerReferences: [{}] },
    addressType: "IPv6",
    ports: [{ port: 80 }],
    endpoints: [
      { addresses: ["fd00::2"], nodeName: "n2", zone: "a", targetRef: { name: "pod" } },
      { addresses: ["fd00::1"], nodeName: "n1", conditions: { ready: false } },
    ],
  });
  assert.deepEqual(decoded, {
    metadata: {
      ...{ name: "web-x", namespace: "shop", uid: "u", resourceVersion: "8", annotations: {} },
      labels: { "kubernetes.io/service-name": "web" },
    },
    endpoints: [
      { nodeName: "n2", isReady: true, isServing: true },
      { nodeName: "n1", isReady: false, isServing: false },
    ],
  });
  assert.equal(decoded === null ? "" : objectKey(decoded), "shop/web-x");
});

test("decodeEndpointSlice() never throws on any JSON, and gives booleans alone", () => {
  const key = fc.constantFrom("nodeName", "conditions", "ready", "serving", "__proto__", "x");
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof({ maxDepth: 5 }, fc.jsonValue({ maxDepth: 1 }), tie("map"), tie("list")),
    map: fc.dictionary(key, tie("tree"), { maxKeys: 4 }),
    list: fc.array(tie("tree"), { maxLength: 3 }),
  }));
  const property = fc.property(fc.array(tree), (endpoints) => {
    for (const endpoint of decodeEndpointSlice({ metadata, endpoints })?.endpoints ?? []) {
      assert.equal(typeof endpoint.isReady, "boolean");
      assert.equal(typeof endpoint.isServing, "boolean");
      assert.ok(endpoint.nodeName === null || typeof endpoint.nodeName === "string");
    }
  });
  fc.assert(property);
});
