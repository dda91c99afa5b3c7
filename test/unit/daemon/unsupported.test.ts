// Tests of what is said about wishes of Services that are not supported yet: which texts, one
// finding for all, and one Event for each, from the leader alone.

import assert from "node:assert/strict";
import { test } from "node:test";
import { findings } from "../../../src/daemon/findings.ts";
import { ServiceEvents } from "../../../src/daemon/service-events.ts";
import {
  UnsupportedEvents,
  unsupported,
  unsupportedFinding,
} from "../../../src/daemon/unsupported.ts";
import type { Service } from "../../../src/k8s-sync/model.ts";
import { objectKey } from "../../../src/k8s-sync/model.ts";
import type { ServiceOptions } from "../../support/kubernetes-objects.ts";
import { service } from "../../support/kubernetes-objects.ts";

const POOLED: ServiceOptions = { annotations: { "metallb.io/address-pool": "gold" } };
const SHARED: ServiceOptions = { annotations: { "metallb.io/allow-shared-ip": "dns" } };

const POOLED_TEXT =
  'the annotation "metallb.io/address-pool" is ignored: ' +
  "unless it asks for an address, the Service gets one of any pool with autoAssign";
const SHARED_TEXT =
  'the annotation "metallb.io/allow-shared-ip" is ignored: ' +
  "the Service gets an address of its own, and one that another has is refused";

const BOTH: ServiceOptions = { annotations: { ...POOLED.annotations, ...SHARED.annotations } };

const annotated = (name: string, value = "x"): ServiceOptions => ({
  annotations: { [name]: value },
});

const ROWS: readonly (readonly [string, ServiceOptions, readonly RegExp[]])[] = [
  ["traffic policy Local", { spec: { externalTrafficPolicy: "Local" } }, []],
  [
    "a pool",
    annotated("metallb.io/address-pool"),
    [/"metallb\.io\/address-pool" is ignored: .* any pool with autoAssign$/],
  ],
  [
    "a pool in the older spelling",
    annotated("metallb.universe.tf/address-pool"),
    [/"metallb\.universe\.tf\/address-pool" is ignored: .* any pool/],
  ],
  ["a shared address", SHARED, [/"metallb\.io\/allow-shared-ip" is ignored: .* of its own/]],
  [
    "a shared address in the older spelling",
    annotated("metallb.universe.tf/allow-shared-ip"),
    [/"metallb\.universe\.tf\/allow-shared-ip" is ignored: .* of its own/],
  ],
  ["two things at once", BOTH, [/address-pool/, /allow-shared-ip/]],
  ["traffic policy Cluster", { spec: { externalTrafficPolicy: "Cluster" } }, []],
  ["an empty annotation", annotated("metallb.io/address-pool", ""), []],
  ["an address that is supported", annotated("metallb.io/loadBalancerIPs", "10.0.0.1"), []],
  ["another type", { ...SHARED, spec: { type: "NodePort" } }, []],
  ["a class of its own", { ...SHARED, spec: { loadBalancerClass: "example.com/x" } }, []],
];

for (const [name, options, patterns] of ROWS) {
  test(`unsupported() of a Service with ${name}: ${patterns.length} texts`, () => {
    const texts = unsupported(service("shop/web", options));
    assert.equal(texts.length, patterns.length);
    for (const [index, pattern] of patterns.entries()) assert.match(texts[index] ?? "", pattern);
  });
}

test("unsupportedFinding() is one for all, with each thing once", () => {
  const services = [service("shop/web", POOLED), service("shop/api", BOTH), service("shop/plain")];
  assert.deepEqual(unsupportedFinding(services), [
    {
      health: "degraded",
      what: "Services ask for what this version does not support: shop/api, shop/web",
      cause: `${POOLED_TEXT}; ${SHARED_TEXT}`,
      next: "take it out of these Services, or do without it for now",
    },
  ]);
  assert.deepEqual(unsupportedFinding([service("shop/plain")]), []);
});

test("unsupportedFinding() names five, and counts the rest", () => {
  const named = (count: number) => {
    const services = Array.from({ length: count }, (_, i) => service(`shop/s${i}`, POOLED));
    return unsupportedFinding(services)[0]?.what ?? "";
  };
  assert.match(named(5), /: shop\/s0, shop\/s1, shop\/s2, shop\/s3, shop\/s4$/);
  assert.match(named(7), /: shop\/s0, shop\/s1, shop\/s2, shop\/s3, shop\/s4 and 2 more$/);
});

test("findings() has what Services ask for in vain", () => {
  const nothing = {
    apiFailures: new Map(),
    leaseFailure: null,
    writeFailure: null,
    configProblems: [],
    storeNotice: null,
    storeFailure: null,
    responderProblems: [],
    orphans: [],
    missingInterfaces: [],
    poolConflicts: [],
    ipv6Addresses: 0,
    linkFailure: null,
  };
  const services = [service("shop/web", POOLED)];
  assert.equal(findings({ ...nothing, services })[0]?.cause, POOLED_TEXT);
  assert.deepEqual(findings(nothing), []);
});

/** What is told as `type reason service: note`. */
function watched() {
  const told: string[] = [];
  const record = ({ type, reason, regarding, note }: Parameters<RecordEvent>[0]) =>
    void told.push(`${type} ${reason} ${regarding.namespace}/${regarding.name}: ${note}`);
  const events = new UnsupportedEvents(new ServiceEvents({ node: "n1", record }));
  return (services: readonly Service[], isLeader = true): string[] => {
    events.check(new Map(services.map((one) => [objectKey(one), one])), { isLeader });
    return told.splice(0).sort();
  };
}

type RecordEvent = ConstructorParameters<typeof ServiceEvents>[0]["record"];

test("UnsupportedEvents.check() warns once of each thing", () => {
  const check = watched();
  const both = service("shop/web", BOTH);
  assert.deepEqual(check([both, service("shop/plain")]), [
    `Warning notSupported shop/web: ${POOLED_TEXT}`,
    `Warning notSupported shop/web: ${SHARED_TEXT}`,
  ]);
  assert.deepEqual(check([both]), []);
  const relabelled = { ...both, metadata: { ...both.metadata, resourceVersion: "2" } };
  assert.deepEqual(check([relabelled]), []);
});

test("UnsupportedEvents.check() warns of what comes later, and of that alone", () => {
  const check = watched();
  check([service("shop/web", POOLED)]);
  const more = [service("shop/web", BOTH), service("shop/api", POOLED)];
  assert.deepEqual(check(more), [
    `Warning notSupported shop/api: ${POOLED_TEXT}`,
    `Warning notSupported shop/web: ${SHARED_TEXT}`,
  ]);
});

test("UnsupportedEvents.check() warns again of what was taken out in between", () => {
  const check = watched();
  check([service("shop/web", POOLED)]);
  assert.deepEqual(check([service("shop/web")]), []);
  assert.equal(check([service("shop/web", POOLED)]).length, 1);
  assert.deepEqual(check([]), []);
  assert.equal(check([service("shop/web", POOLED)]).length, 1);
});

test("UnsupportedEvents.check() leaves it to the leader, and tells all when it becomes one", () => {
  const check = watched();
  const services = [service("shop/web", POOLED)];
  assert.deepEqual(check(services, false), []);
  assert.equal(check(services, true).length, 1);
  assert.deepEqual(check(services, false), []);
  assert.deepEqual(check(services, true), []);
});
