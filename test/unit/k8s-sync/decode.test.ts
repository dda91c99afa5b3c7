// Decoders take anything: what they keep of real objects, and that nothing makes them throw.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  decodeEndpointSlice,
  decodeLease,
  decodeList,
  decodeNode,
  decodeObject,
  decodeOwnedObject,
  decodeService,
  resourceVersionOf,
} from "../../../src/k8s-sync/decode.ts";
import { objectKey } from "../../../src/k8s-sync/model.ts";

const DECODERS = {
  decodeObject,
  decodeOwnedObject,
  decodeService,
  decodeNode,
  decodeLease,
  decodeEndpointSlice,
};

const NAMELESS: readonly unknown[] = [
  undefined,
  null,
  5,
  "text",
  [],
  {},
  { metadata: null },
  { metadata: [] },
  { metadata: { name: "" } },
  { metadata: { name: 5 } },
];

for (const [name, decode] of Object.entries(DECODERS)) {
  test(`${name}() refuses what has no name`, () => {
    for (const raw of NAMELESS) assert.equal(decode(raw), null);
  });

  test(`${name}() never throws on any JSON`, () => {
    const key = fc.constantFrom(
      ...["metadata", "name", "spec", "status", "annotations", "labels", "ports", "items"],
      ...[
        "loadBalancer",
        "ingress",
        "ip",
        "taints",
        "conditions",
        "renewTime",
        "__proto__",
        "data",
      ],
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof({ maxDepth: 6 }, fc.jsonValue({ maxDepth: 1 }), tie("map"), tie("list")),
      map: fc.dictionary(key, tie("tree"), { maxKeys: 5 }),
      list: fc.array(tie("tree"), { maxLength: 3 }),
    }));
    fc.assert(
      fc.property(tree, fc.boolean(), (raw, named) => {
        const isMap = typeof raw === "object" && raw !== null && !Array.isArray(raw);
        const given = named && isMap ? { ...raw, metadata: { name: "x" } } : raw;
        const decoded = decode(given);
        if (named && isMap) assert.equal(decoded?.metadata.name, "x");
        decodeList(given);
        resourceVersionOf(given);
      }),
    );
  });
}

test("decodeService() keeps what is read and drops the rest", () => {
  const decoded = decodeService({
    metadata: {
      name: "web",
      namespace: "shop",
      uid: "u",
      resourceVersion: "7",
      annotations: { a: "b", bad: 5 },
      managedFields: [{}],
    },
    spec: {
      type: "LoadBalancer",
      clusterIP: "10.0.0.1",
      clusterIPs: ["10.0.0.1", 5],
      ipFamilies: ["IPv4"],
      loadBalancerIP: "192.0.2.1",
      loadBalancerClass: "",
      ports: [{ port: 80, name: "http" }, { port: "81" }, null],
      selector: { app: "web" },
    },
    status: { loadBalancer: { ingress: [{ ip: "192.0.2.1", ipMode: "VIP", ports: [] }, null] } },
  });
  assert.deepEqual(decoded, {
    metadata: {
      name: "web",
      namespace: "shop",
      uid: "u",
      resourceVersion: "7",
      annotations: { a: "b" },
      labels: {},
    },
    spec: {
      type: "LoadBalancer",
      clusterIPs: ["10.0.0.1"],
      ipFamilies: ["IPv4"],
      loadBalancerIP: "192.0.2.1",
      ports: [{ protocol: "TCP", port: 80, name: "http" }],
      selector: { app: "web" },
    },
    status: { ingress: [{ ip: "192.0.2.1", ipMode: "VIP" }] },
  });
  assert.equal(decoded === null ? "" : objectKey(decoded), "shop/web");
});

test("decodeNode() reads taints, conditions and addresses", () => {
  const decoded = decodeNode({
    metadata: { name: "n1", labels: { zone: "a" } },
    spec: { unschedulable: true, taints: [{ key: "k", effect: "NoSchedule", value: "v" }, 5] },
    status: {
      conditions: [{ type: "Ready", status: "True" }],
      addresses: [{ type: "InternalIP", address: "192.0.2.9" }],
    },
  });
  assert.equal(decoded?.unschedulable, true);
  assert.deepEqual(decoded?.taints, [{ key: "k", effect: "NoSchedule" }]);
  assert.deepEqual(decoded?.conditions, [{ type: "Ready", status: "True" }]);
  assert.deepEqual(decoded?.addresses, [{ type: "InternalIP", address: "192.0.2.9" }]);
});

test("decodeLease() has null for what is absent or no time", () => {
  const spec = { holderIdentity: "", leaseTransitions: 1.5, renewTime: "yesterday" };
  assert.deepEqual(decodeLease({ metadata: { name: "l" }, spec })?.spec, {
    holderIdentity: "",
    leaseDurationSeconds: null,
    acquireTime: null,
    renewTime: null,
    leaseTransitions: null,
  });
});

test("decodeLease() reads MicroTime to the millisecond", () => {
  const spec = { renewTime: "2026-03-01T12:00:00.123456Z", leaseTransitions: 4 };
  const decoded = decodeLease({ metadata: { name: "l" }, spec });
  assert.equal(decoded?.spec.renewTime, Date.UTC(2026, 2, 1, 12, 0, 0, 123));
  assert.equal(decoded?.spec.leaseTransitions, 4);
});

test("decodeObject() keeps the spec as it is", () => {
  const spec = { addresses: ["192.0.2.0/24"] };
  const decoded = decodeObject({ metadata: { name: "p", namespace: "m" }, spec, data: { k: "v" } });
  assert.deepEqual(decoded?.spec, spec);
  assert.deepEqual(decoded?.data, { k: "v" });
});

test("decodeOwnedObject() keeps whose it is, and takes garbage for nobody's", () => {
  const owner = { apiVersion: "v1", kind: "Node", name: "n1", uid: "u1" };
  const of = (ownerReferences: unknown) =>
    decodeOwnedObject({ metadata: { name: "one", ownerReferences } })?.ownerReferences;
  assert.deepEqual(of([{ ...owner, controller: true }]), [owner]);
  assert.deepEqual(of([null, "x", { ...owner, uid: 5 }]), [{ ...owner, uid: "" }]);
  for (const garbage of [undefined, null, 5, "x", {}]) assert.deepEqual(of(garbage), []);
});
