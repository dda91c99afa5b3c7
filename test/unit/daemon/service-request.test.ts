// Tests of what a Service asks for: whose it is, the addresses that it names in MetalLB's ways, and
// the families of its cluster IPs.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  currentAddresses,
  deprecatedAnnotations,
  isOurs,
  requestedAddresses,
  serviceRequest,
  wantsAddress,
} from "../../../src/daemon/service-request.ts";
import type { ServiceOptions } from "../../support/kubernetes-objects.ts";
import { service } from "../../support/kubernetes-objects.ts";

const PRESENT = "metallb.io/loadBalancerIPs";
const OLDER = "metallb.universe.tf/loadBalancerIPs";

type Row = readonly [name: string, options: ServiceOptions, unreadable: string];

const UNREADABLE: readonly Row[] = [
  [
    "a host name",
    { spec: { loadBalancerIP: "web.example" } },
    'spec.loadBalancerIP: found "web.example", expected an IP',
  ],
  [
    "a prefix",
    { annotations: { [PRESENT]: "10.0.0.0/24" } },
    `the annotation "${PRESENT}": found "10.0.0.0/24", expected an IP`,
  ],
  [
    "a comma at the end",
    { annotations: { [OLDER]: "10.0.0.1," } },
    `the annotation "${OLDER}": found "", expected an IP`,
  ],
  [
    "a good and a bad one",
    { annotations: { [PRESENT]: "10.0.0.1, 2001:db8::g" } },
    `the annotation "${PRESENT}": found "2001:db8::g", expected an IP`,
  ],
  [
    "two of one family",
    { annotations: { [PRESENT]: "10.0.0.1,10.0.0.2" } },
    `the annotation "${PRESENT}": found two addresses of one family, expected one of each`,
  ],
  [
    "one address twice",
    { annotations: { [PRESENT]: "2001:db8::1,2001:DB8::1" } },
    `the annotation "${PRESENT}": found two addresses of one family, expected one of each`,
  ],
  [
    "two in spec.loadBalancerIP",
    { spec: { loadBalancerIP: "10.0.0.1,2001:db8::1" } },
    'spec.loadBalancerIP: found "10.0.0.1,2001:db8::1", expected an IP',
  ],
  [
    "both ways at once, though they agree",
    { spec: { loadBalancerIP: "10.0.0.1" }, annotations: { [PRESENT]: "10.0.0.1" } },
    `both spec.loadBalancerIP and the annotation "${PRESENT}" are set: keep one`,
  ],
];

for (const [name, options, unreadable] of UNREADABLE) {
  test(`requestedAddresses() cannot read ${name}`, () => {
    assert.deepEqual(requestedAddresses(service("shop/web", options)), { unreadable });
  });
}

const READ: readonly (readonly [name: string, options: ServiceOptions, readonly string[]])[] = [
  ["nothing", {}, []],
  ["empty texts", { spec: { loadBalancerIP: "" }, annotations: { [PRESENT]: "" } }, []],
  ["spec.loadBalancerIP", { spec: { loadBalancerIP: "10.0.0.1" } }, ["10.0.0.1"]],
  ["the annotation", { annotations: { [PRESENT]: "10.0.0.1" } }, ["10.0.0.1"]],
  ["the older annotation", { annotations: { [OLDER]: "10.0.0.1" } }, ["10.0.0.1"]],
  [
    "the present annotation before the older",
    { annotations: { [OLDER]: "10.0.0.1", [PRESENT]: "10.0.0.2" } },
    ["10.0.0.2"],
  ],
  [
    "the present annotation before the older, though it is empty",
    { annotations: { [OLDER]: "10.0.0.1", [PRESENT]: "" } },
    [],
  ],
  [
    "one of each family in the order written, in canonical text",
    { annotations: { [PRESENT]: " 2001:DB8:0::1 , 10.0.0.1 " } },
    ["2001:db8::1", "10.0.0.1"],
  ],
  [
    "spec.loadBalancerIP beside an empty annotation",
    { spec: { loadBalancerIP: "10.0.0.1" }, annotations: { [PRESENT]: "" } },
    ["10.0.0.1"],
  ],
];

for (const [name, options, expected] of READ) {
  test(`requestedAddresses() reads ${name}`, () => {
    assert.deepEqual(requestedAddresses(service("shop/web", options)), expected);
  });
}

test("isOurs() with a class is about Services of exactly that class", () => {
  const classy = (loadBalancerClass: string) => service("a/b", { spec: { loadBalancerClass } });
  assert.equal(isOurs(classy("metallb"), "metallb"), true);
  assert.equal(isOurs(classy("metallb.io"), "metallb"), false);
  assert.equal(isOurs(service("shop/web"), "metallb"), false);
});

test("isOurs() leaves a Service with a class to others", () => {
  assert.equal(isOurs(service("shop/web", { spec: { loadBalancerClass: "metallb" } })), false);
  assert.equal(isOurs(service("shop/web")), true);
});

const WANTS: readonly (readonly [name: string, spec: object, boolean])[] = [
  ["another type", { type: "NodePort" }, false],
  ["no type", { type: undefined }, false],
  ["no cluster IP yet", { clusterIPs: [] }, false],
  ["no cluster IP ever", { clusterIPs: ["None"] }, false],
  ["an IPv6 cluster IP", { clusterIPs: ["fd00::1"] }, true],
  ["a cluster IP", {}, true],
];

for (const [name, spec, expected] of WANTS) {
  test(`wantsAddress() of a Service with ${name}: ${expected}`, () => {
    assert.equal(wantsAddress(service("shop/web", { spec: { ...spec } })), expected);
  });
}

test("currentAddresses() are those of the status that are addresses", () => {
  const { spec, metadata } = service("shop/web");
  const ingress = [
    { hostname: "a.example" },
    { ip: "bad" },
    { ip: "2001:DB8::1" },
    { ip: "10.0.0.1" },
  ];
  const found = currentAddresses({ spec, metadata, status: { ingress } });
  assert.deepEqual(found, ["2001:db8::1", "10.0.0.1"]);
});

test("serviceRequest() puts it all together, families in the order of the cluster IPs", () => {
  const ports = [{ port: 53, protocol: "UDP" }, { port: 80 }];
  const dual = service("shop/web", {
    spec: { clusterIPs: ["fd00::1", "10.96.0.1"], ipFamilyPolicy: "RequireDualStack", ports },
    labels: { tier: "edge" },
    annotations: {
      [PRESENT]: "10.0.0.1",
      "metallb.universe.tf/address-pool": "gold",
      "metallb.io/allow-shared-ip": "dns",
    },
    ips: ["10.0.0.9"],
  });
  assert.deepEqual(serviceRequest(dual), {
    key: "shop/web",
    namespace: "shop",
    labels: { tier: "edge" },
    families: [6, 4],
    familyPolicy: "RequireDualStack",
    requested: ["10.0.0.1"],
    pool: "gold",
    sharingKey: "dns",
    backend: "",
    ports: ["UDP/53", "TCP/80"],
    current: ["10.0.0.9"],
  });
});

const POLICIES = [
  [undefined, "SingleStack"],
  ["SingleStack", "SingleStack"],
  ["PreferDualStack", "PreferDualStack"],
] as const;

for (const [ipFamilyPolicy, expected] of POLICIES) {
  test(`serviceRequest() reads the policy ${ipFamilyPolicy} as ${expected}`, () => {
    const request = serviceRequest(service("shop/web", { spec: { ipFamilyPolicy } }));
    assert.equal(request.familyPolicy, expected);
  });
}

for (const name of ["address-pool", "allow-shared-ip"]) {
  test(`serviceRequest() takes ${name} by its present prefix, then the older`, () => {
    const read = (annotations: Record<string, string>): string | null => {
      const { pool, sharingKey } = serviceRequest(service("shop/web", { annotations }));
      return name === "address-pool" ? (pool ?? "") : sharingKey;
    };
    const [present, older] = [`metallb.io/${name}`, `metallb.universe.tf/${name}`];
    assert.equal(read({ [older]: "old" }), "old");
    assert.equal(read({ [older]: "old", [present]: "new" }), "new");
    assert.equal(read({ [older]: "old", [present]: "" }), "");
    assert.equal(read({}), "");
  });
}

const BACKENDS: readonly (readonly [string, object, string])[] = [
  ["Cluster", { selector: { app: "a" } }, ""],
  ["Local", { externalTrafficPolicy: "Local", selector: { b: "2", a: "1" } }, "a=1,b=2"],
  ["Local without a selector", { externalTrafficPolicy: "Local" }, ""],
  ["Local with an empty selector", { externalTrafficPolicy: "Local", selector: {} }, ""],
];

for (const [name, spec, backend] of BACKENDS) {
  test(`serviceRequest() backend of ${name}: "${backend}"`, () => {
    assert.equal(serviceRequest(service("shop/web", { spec: { ...spec } })).backend, backend);
  });
}

test("deprecatedAnnotations() are those with the older prefix, sorted", () => {
  const annotations = {
    "metallb.universe.tf/x": "",
    "metallb.io/address-pool": "lan",
    "metallb.universe.tf/address-pool": "lan",
  };
  const expected = ["metallb.universe.tf/address-pool", "metallb.universe.tf/x"];
  assert.deepEqual(deprecatedAnnotations(service("shop/web", { annotations })), expected);
});

test("requestedAddresses() shows what it cannot read without control characters", () => {
  const annotations = { [PRESENT]: "\x1b[2Jevil\n  ok  wire  fine" };
  const read = requestedAddresses(service("shop/web", { annotations }));
  assert.ok("unreadable" in read);
  assert.doesNotMatch(read.unreadable, /\p{Cc}/u);
});
