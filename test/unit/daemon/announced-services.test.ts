// Tests of who is told by Event that this node announces an address, and how often.

import assert from "node:assert/strict";
import { test } from "node:test";
import { AnnouncedServices } from "../../../src/daemon/announced-services.ts";
import { objectKey } from "../../../src/k8s-sync/model.ts";
import { ip } from "../../support/ipam-requests.ts";
import { clusterOf, service } from "../../support/kubernetes-objects.ts";

const ADDRESS = ip("10.0.0.1");

/** `set` gives a Service these addresses; who was told is returned. */
function announced() {
  const has = new Map<string, readonly string[]>();
  let cluster = clusterOf({});
  const told: string[] = [];
  const made = new AnnouncedServices(
    {
      get services() {
        return cluster.services;
      },
      servicesOf: (address) => cluster.servicesOf(address),
    },
    { announcing: (one) => void told.push(objectKey(one)) },
  );
  const set = (key: string, ips: readonly string[], spec = {}): string[] => {
    has.set(key, ips);
    const services = [...has].map(([name, its]) =>
      service(name, { ips: its, spec: name === key ? spec : {} }),
    );
    cluster = clusterOf({ services });
    made.changed([key]);
    return told.splice(0);
  };
  const gain = (): string[] => {
    made.gained(ADDRESS);
    return told.splice(0);
  };
  return { set, gain, lose: () => made.lost(ADDRESS) };
}

test("gained() tells all Services of the address, and a change tells none of them again", () => {
  const { set, gain } = announced();
  for (const key of ["a/web", "a/api"]) assert.deepEqual(set(key, ["10.0.0.1"]), []);
  set("a/other", ["10.0.0.2"]);
  assert.deepEqual(gain(), ["a/api", "a/web"]);
  assert.deepEqual(set("a/web", ["10.0.0.1"]), []);
  assert.deepEqual(set("a/other", ["10.0.0.2", "2001:db8::1"]), []);
});

test("changed() tells a Service that comes to an address which is announced", () => {
  const { set, gain } = announced();
  set("a/web", ["10.0.0.1"]);
  gain();
  assert.deepEqual(set("a/api", ["10.0.0.1"]), ["a/api"]);
  assert.deepEqual(set("a/api", ["10.0.0.1"]), []);
});

test("changed() tells a Service again that left the address and came back", () => {
  const { set, gain } = announced();
  set("a/web", ["10.0.0.1"]);
  set("a/api", ["10.0.0.1"]);
  gain();
  assert.deepEqual(set("a/api", ["10.0.0.2"]), []);
  assert.deepEqual(set("a/api", ["10.0.0.1"]), ["a/api"]);
});

test("changed() tells nobody of an address that another node announces, or does again", () => {
  const { set, gain, lose } = announced();
  assert.deepEqual(set("a/web", ["10.0.0.1"]), []);
  gain();
  lose();
  assert.deepEqual(set("a/api", ["10.0.0.1"]), []);
  assert.deepEqual(set("a/web", ["10.0.0.1"]), []);
  assert.deepEqual(gain(), ["a/api", "a/web"]);
});

test("gained() tells again what was lost meanwhile without a change of the Service", () => {
  const { set, gain, lose } = announced();
  set("a/web", ["10.0.0.1"]);
  gain();
  lose();
  assert.deepEqual(gain(), ["a/web"]);
});

test("changed() tells nothing to a Service that is another implementation's now", () => {
  const { set, gain } = announced();
  set("a/web", ["10.0.0.1"]);
  gain();
  assert.deepEqual(set("a/api", ["10.0.0.1"], { loadBalancerClass: "example.com/other" }), []);
});
