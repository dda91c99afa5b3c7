// Tests of what is told by Event about a configuration that is not valid, on what, and how often.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigEvents } from "../../../src/daemon/config-events.ts";
import { regardingOf } from "../../../src/daemon/config-objects.ts";
import type { EventInput } from "../../../src/k8s-sync/events.ts";
import { clusterOf, resource } from "../../support/kubernetes-objects.ts";

/** Pools by name, each with one range, as a cluster finds them, and what is told of them. */
class Told {
  readonly #all: EventInput[] = [];
  readonly events = new ConfigEvents((event) => void this.#all.push(event));

  check(pools: Readonly<Record<string, string>>, summary: string | null = null): void {
    const objects = Object.entries(pools).map(([name, range]) =>
      resource(name, { addresses: [range] }),
    );
    const cluster = clusterOf({ pools: objects, advertisements: [] });
    const config = { problems: cluster.configProblems, objects: cluster.configObjects };
    this.events.check(config, summary);
  }

  take(): string[] {
    return this.#all.splice(0).map(({ type, reason, regarding, note }) => {
      return `${type} ${reason} ${regarding.kind} ${regarding.name}: ${note}`;
    });
  }

  get last(): EventInput | undefined {
    return this.#all.at(-1);
  }
}

const BAD = { lan: "10.0.0.9-10.0.0.1" };

test("a configuration that is valid is not talked about", () => {
  const told = new Told();
  told.check({ lan: "10.0.0.0/24" });
  assert.deepEqual(told.take(), []);
});

test("an object that is wrong is told so once, until it is mended and wrong again", () => {
  const told = new Told();
  told.check(BAD);
  told.check(BAD);
  const [first, ...more] = told.take();
  assert.match(first ?? "", /^Warning ConfigurationError IPAddressPool lan: .*10\.0\.0\.9/);
  assert.deepEqual(more, []);
  told.check({ lan: "10.0.0.0/24" });
  assert.deepEqual(told.take(), []);
  told.check(BAD);
  assert.equal(told.take().length, 1);
});

test("an object that is wrong in another way is told of again, the others are not", () => {
  const told = new Told();
  told.check({ ...BAD, wan: "x" });
  assert.equal(told.take().length, 2);
  told.check({ ...BAD, wan: "y" });
  const [again, ...more] = told.take();
  assert.match(again ?? "", /IPAddressPool wan/);
  assert.deepEqual(more, []);
});

test("a new leader does not repeat what the one before has written down", () => {
  const told = new Told();
  told.check(BAD);
  const note = told.last?.note ?? "";
  const summary = note.slice(note.indexOf(": ") + 2);
  const next = new Told();
  next.check(BAD, `something else\n${summary}`);
  assert.deepEqual(next.take(), []);
  next.check({ lan: "10.0.0.8-10.0.0.1" }, summary);
  assert.equal(next.take().length, 1);
});

test("a thousand objects that are wrong make fifty Events", () => {
  const told = new Told();
  told.check(Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`p${i}`, "x"])));
  assert.equal(told.take().length, 50);
});

test("the Event is about the object as the API knows it", () => {
  const told = new Told();
  told.check(BAD);
  const { kind, apiVersion, name } = told.last?.regarding ?? {};
  const expected = { kind: "IPAddressPool", apiVersion: "metallb.io/v1beta1", name: "lan" };
  assert.deepEqual({ kind, apiVersion, name }, expected);
});

for (const { kind, apiVersion, of } of [
  { kind: "BGPPeer", apiVersion: "metallb.io/v1beta2", of: "bgp-peer" },
  { kind: "Community", apiVersion: "metallb.io/v1beta1", of: "community" },
  { kind: "ConfigMap", apiVersion: "v1", of: "config-map" },
] as const) {
  test(`regardingOf() a ${kind} is of ${apiVersion}, and the very object by its UID`, () => {
    const cluster = clusterOf({});
    const { metadata, ...rest } = resource("one");
    const namespaced = { ...metadata, namespace: "metallb-system", uid: "u1" };
    cluster.configSink(of).replace([{ ...rest, metadata: namespaced }]);
    const ref = { kind, namespace: "metallb-system", name: "one" };
    const expected = { ...ref, apiVersion, uid: "u1" };
    assert.deepEqual(regardingOf(cluster.configObjects, ref), expected);
    const gone = regardingOf(cluster.configObjects, { ...ref, name: "gone" });
    assert.equal(gone.uid, undefined);
  });
}
