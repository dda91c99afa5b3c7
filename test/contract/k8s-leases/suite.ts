// What lbd relies on of Leases in the API: compare and swap above all. Runs on the fake and on a
// real API server.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { wallMs } from "../../../src/core/time.ts";
import type { ApiRequests } from "../../../src/k8s-sync/client.ts";
import { LeaseClient, type LeaseWrite } from "../../../src/k8s-sync/leases.ts";
import type { Lease } from "../../../src/k8s-sync/model.ts";
import type { ApiFailureKind, Outcome } from "../../../src/k8s-sync/outcome.ts";

export interface LeaseContractSetup {
  readonly client: ApiRequests;
  /** Exists, and has no Leases. */
  readonly namespace: string;
}

function write(name: string, change: Partial<LeaseWrite> = {}): LeaseWrite {
  return {
    name,
    labels: { "app.kubernetes.io/name": "lbd" },
    holderIdentity: "node1",
    leaseDurationSeconds: 15,
    acquireTime: wallMs(Date.UTC(2026, 0, 2, 3, 4, 5, 678)),
    renewTime: wallMs(Date.UTC(2026, 0, 2, 3, 4, 6)),
    leaseTransitions: 7,
    ...change,
  };
}

function got<T>(outcome: Outcome<T>): T {
  assert.ok(outcome.ok, outcome.ok ? "" : `${outcome.failure.kind}: ${outcome.failure.message}`);
  return outcome.value;
}

function fails(outcome: Outcome<unknown>, kind: ApiFailureKind): void {
  assert.equal(outcome.ok ? "success" : outcome.failure.kind, kind);
}

class Bench {
  #leases: LeaseClient | null = null;

  open({ client, namespace }: LeaseContractSetup): void {
    this.#leases = new LeaseClient(client, namespace);
  }

  get leases(): LeaseClient {
    assert.ok(this.#leases !== null);
    return this.#leases;
  }

  async create(lease: LeaseWrite): Promise<Lease> {
    return got(await this.leases.create(lease));
  }
}

export function leaseContract(on: string, setup: () => Promise<LeaseContractSetup>): void {
  describe(`LeaseClient on ${on}`, () => {
    const bench = new Bench();
    before(async () => bench.open(await setup()));
    absentLeases(bench);
    staleWrites(bench);
    preconditions(bench);
    contents(bench);
  });
}

/** Leases that are not there, or already. */
function absentLeases(bench: Bench): void {
  test("get, update and delete of a Lease that is not there: not-found", async () => {
    fails(await bench.leases.get("nobody"), "not-found");
    fails(await bench.leases.delete("nobody"), "not-found");
    const gone = await bench.create(write("gone"));
    got(await bench.leases.delete("gone"));
    const { resourceVersion, uid } = gone.metadata;
    const late = await bench.leases.update({ ...write("gone"), resourceVersion, uid });
    assert.ok(!late.ok && ["not-found", "conflict"].includes(late.failure.kind));
    fails(await bench.leases.get("gone"), "not-found");
  });

  test("a second create: already-exists, and the first stands", async () => {
    await bench.create(write("twice"));
    fails(await bench.leases.create(write("twice", { holderIdentity: "node2" })), "already-exists");
    assert.equal(got(await bench.leases.get("twice")).spec.holderIdentity, "node1");
  });
}

/** Of two writers one loses, and knows. */
function staleWrites(bench: Bench): void {
  test("an update of a stale version: conflict, and the newer stands", async () => {
    const first = await bench.create(write("stale"));
    const { resourceVersion } = first.metadata;
    const second = got(
      await bench.leases.update({
        ...write("stale", { holderIdentity: "node2" }),
        resourceVersion,
      }),
    );
    assert.notEqual(second.metadata.resourceVersion, resourceVersion);
    const third = { ...write("stale", { holderIdentity: "node3" }), resourceVersion };
    fails(await bench.leases.update(third), "conflict");
    assert.equal(got(await bench.leases.get("stale")).spec.holderIdentity, "node2");
  });

  test("of many concurrent updates of one version exactly one succeeds", async () => {
    const { metadata } = await bench.create(write("race"));
    const writers = Array.from({ length: 8 }, (_, n) =>
      bench.leases.update({
        ...write("race", { holderIdentity: `node${n}` }),
        resourceVersion: metadata.resourceVersion,
      }),
    );
    const outcomes = await Promise.all(writers);
    const winners = outcomes.filter((outcome) => outcome.ok);
    assert.equal(winners.length, 1);
    for (const outcome of outcomes) if (!outcome.ok) fails(outcome, "conflict");
    const winner = winners[0];
    const { spec } = got(await bench.leases.get("race"));
    assert.equal(spec.holderIdentity, winner?.ok ? winner.value.spec.holderIdentity : "none");
  });

  test("an update without a resourceVersion is never sent", async () => {
    const { spec } = await bench.create(write("blind"));
    const blind = { ...write("blind", { holderIdentity: "node2" }), resourceVersion: "" };
    fails(await bench.leases.update(blind), "invalid");
    assert.equal(got(await bench.leases.get("blind")).spec.holderIdentity, spec.holderIdentity);
  });
}

/** What is deleted or replaced is what was read. */
function preconditions(bench: Bench): void {
  test("a Lease made anew under the same name conflicts with its old uid", async () => {
    const old = await bench.create(write("reborn"));
    got(await bench.leases.delete("reborn"));
    const born = await bench.create(write("reborn", { holderIdentity: "node2" }));
    const { uid } = old.metadata;
    const { resourceVersion } = born.metadata;
    fails(await bench.leases.update({ ...write("reborn"), resourceVersion, uid }), "conflict");
    fails(await bench.leases.delete("reborn", { uid }), "conflict");
    assert.equal(got(await bench.leases.get("reborn")).spec.holderIdentity, "node2");
  });

  test("delete with a stale resourceVersion: conflict; with the current one: done", async () => {
    const first = await bench.create(write("precondition"));
    const { resourceVersion } = first.metadata;
    const change = { ...write("precondition", { leaseTransitions: 8 }), resourceVersion };
    const second = got(await bench.leases.update(change));
    fails(await bench.leases.delete("precondition", { resourceVersion }), "conflict");
    const current = second.metadata;
    const { uid } = current;
    const exact = { resourceVersion: current.resourceVersion, uid };
    got(await bench.leases.delete("precondition", exact));
    fails(await bench.leases.get("precondition"), "not-found");
  });
}

/** What is written is what is read. */
function contents(bench: Bench): void {
  test("all fields come back as written, to the millisecond", async () => {
    const wanted = write("round-trip", { annotations: { note: 'a "quoted" ü' } });
    await bench.create(wanted);
    const { metadata, spec } = got(await bench.leases.get("round-trip"));
    assert.deepEqual(metadata.labels, wanted.labels);
    assert.deepEqual(metadata.annotations, wanted.annotations);
    assert.deepEqual(spec, {
      holderIdentity: wanted.holderIdentity,
      leaseDurationSeconds: wanted.leaseDurationSeconds,
      acquireTime: wanted.acquireTime,
      renewTime: wanted.renewTime,
      leaseTransitions: wanted.leaseTransitions,
    });
  });

  test("a released Lease has an empty holder and keeps its transitions", async () => {
    const { metadata } = await bench.create(write("released"));
    const { resourceVersion } = metadata;
    const empty = write("released", { holderIdentity: "" });
    const { spec } = got(await bench.leases.update({ ...empty, resourceVersion }));
    assert.ok(spec.holderIdentity === "" || spec.holderIdentity === null);
    assert.equal(spec.leaseTransitions, 7);
  });

  test("an IPv6 address fits into a name", async () => {
    const name = "lbd-vip-2001-0db8-0000-0000-0000-0000-0000-0001";
    assert.equal((await bench.create(write(name))).metadata.name, name);
  });

  test("list has all of them and a version to watch from", async () => {
    await bench.create(write("listed-a"));
    await bench.create(write("listed-b"));
    const { items, resourceVersion } = got(await bench.leases.list());
    const names = items.map((lease) => lease.metadata.name);
    assert.ok(names.includes("listed-a") && names.includes("listed-b"));
    assert.ok(Number(resourceVersion) > 0);
  });

  test("an aborted call is a value, too", async () => {
    const outcome = await bench.leases.get("any", { signal: AbortSignal.abort() });
    assert.equal(outcome.ok, false);
  });
}
