// Tests of the cool-down and the reservation of addresses, as Services come, go and come back, and
// as the leader changes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { wallMs } from "../../../src/core/time.ts";
import type { FreedSettings } from "../../../src/ipam/freed-addresses.ts";
import { objectKey } from "../../../src/k8s-sync/model.ts";
import { pool } from "../../support/ipam-requests.ts";
import { service } from "../../support/kubernetes-objects.ts";
import { AllocatingLeader } from "./allocation-harness.ts";

const LAN = pool("lan", ["10.0.0.0/31"]);
const COOLING = { coolDownMs: 60_000, reservationMs: 0 };
const KEPT = { coolDownMs: 0, reservationMs: 3_600_000 };

function leaderWith(
  settings: FreedSettings,
  ...services: readonly ReturnType<typeof service>[]
): AllocatingLeader {
  const leader = new AllocatingLeader({ freed: settings });
  for (const one of services) leader.services.set(objectKey(one), one);
  leader.allocation.configure([LAN], new Map());
  return leader;
}

async function add(leader: AllocatingLeader, key: string, spec = {}): Promise<string> {
  leader.set(key, { spec });
  await leader.settle();
  return leader.addresses(key);
}

test("An address that is freed cools down: others get another one, or wait", async () => {
  const leader = leaderWith(COOLING);
  leader.allocation.lead();
  assert.equal(await add(leader, "a/one"), "10.0.0.0");
  leader.delete("a/one");
  assert.equal(await add(leader, "a/two"), "10.0.0.1");
  await leader.events();
  assert.equal(await add(leader, "a/three"), "");
  const [event] = await leader.events();
  assert.match(event ?? "", /no available IPs: lan \(1 of 2 used, 1 cooling down\)/);
  leader.former.pass(59_999);
  await leader.settle();
  assert.equal(leader.addresses("a/three"), "");
  leader.former.pass(1);
  await leader.settle();
  assert.equal(leader.addresses("a/three"), "10.0.0.0");
});

test("An address that cools down is refused to who asks for it, for so long", async () => {
  const leader = leaderWith(COOLING);
  leader.allocation.lead();
  await add(leader, "a/one");
  leader.delete("a/one");
  const asks = { loadBalancerIP: "10.0.0.0" };
  assert.equal(await add(leader, "a/two", asks), "");
  const why = leader.allocation.pendingReason("a/two") ?? "";
  assert.match(why, /"10\.0\.0\.0" was the address of a\/one a moment ago/);
  leader.former.pass(60_000);
  await leader.settle();
  assert.equal(leader.addresses("a/two"), "10.0.0.0");
});

test("The Service that had it gets it back meanwhile", async () => {
  const leader = leaderWith(COOLING);
  leader.allocation.lead();
  await add(leader, "a/one");
  leader.delete("a/one");
  assert.equal(await add(leader, "a/one"), "10.0.0.0");
  leader.former.pass(60_000);
  await leader.settle();
  assert.equal(leader.addresses("a/one"), "10.0.0.0");
});

test("A Service that moves leaves an address that cools down, and that is not kept", async () => {
  const leader = leaderWith({ ...COOLING, ...KEPT, coolDownMs: 60_000 });
  leader.allocation.lead();
  await add(leader, "a/one");
  assert.equal(await add(leader, "a/one", { loadBalancerIP: "10.0.0.1" }), "10.0.0.1");
  assert.equal(await add(leader, "a/two"), "");
  leader.former.pass(60_000);
  await leader.settle();
  assert.equal(leader.addresses("a/two"), "10.0.0.0");
});

test("A Service that comes back within the time has its address again", async () => {
  const leader = leaderWith(KEPT);
  leader.allocation.lead();
  await add(leader, "a/one");
  leader.delete("a/one");
  assert.equal(await add(leader, "a/two"), "10.0.0.1");
  leader.delete("a/two");
  assert.equal(await add(leader, "a/two"), "10.0.0.1");
  assert.equal(await add(leader, "a/one"), "10.0.0.0");
});

test("What is kept gives way when the pool has nothing else", async () => {
  const leader = leaderWith(KEPT);
  leader.allocation.lead();
  await add(leader, "a/one");
  leader.delete("a/one");
  assert.equal(await add(leader, "a/two"), "10.0.0.1");
  assert.equal(await add(leader, "a/three"), "10.0.0.0");
  leader.former.pass(3_600_000);
  await leader.settle();
  assert.equal(leader.addresses("a/three"), "10.0.0.0");
});

test("A new leader knows from its store what cools down and what is kept", async () => {
  const leader = leaderWith({ coolDownMs: 60_000, reservationMs: 3_600_000 });
  const { wall } = leader.former;
  leader.former.remembered = [
    { address: "10.0.0.0", service: "a/one", at: wallMs(wall - 100_000) },
    { address: "10.0.0.1", service: "a/two", at: wallMs(wall - 59_000) },
  ];
  leader.allocation.lead();
  assert.equal(await add(leader, "a/two"), "10.0.0.1");
  leader.delete("a/two");
  assert.equal(await add(leader, "a/three"), "10.0.0.0", "it yields; the other cools down");
});

test("A new leader takes nothing for free that a status says is in use", async () => {
  const leader = leaderWith(KEPT, service("a/web", { ips: ["10.0.0.0"] }));
  const at = leader.former.wall;
  leader.former.remembered = [
    { address: "10.0.0.0", service: "a/old", at },
    { address: "10.0.0.1", service: "a/web", at },
    { address: "no address", service: "a/web", at },
  ];
  leader.allocation.lead();
  await leader.settle();
  assert.equal(leader.addresses("a/web"), "10.0.0.0");
  assert.equal(await add(leader, "a/new"), "10.0.0.1", "a/web has another one");
});

test("A store that a clock ahead wrote keeps nothing for longer than it should", async () => {
  const leader = leaderWith(COOLING);
  leader.former.remembered = [
    { address: "10.0.0.0", service: "a/one", at: wallMs(leader.former.wall + 900_000) },
  ];
  leader.allocation.lead();
  assert.equal(await add(leader, "a/two"), "10.0.0.1");
  leader.former.pass(60_000);
  assert.equal(await add(leader, "a/three"), "10.0.0.0");
});

test("What a Service waited for in vain does not cool down", async () => {
  const leader = leaderWith(COOLING);
  leader.allocation.lead();
  leader.unprobed = "unknown";
  await add(leader, "a/one");
  leader.delete("a/one");
  leader.unprobed = "free";
  assert.equal(await add(leader, "a/two"), "10.0.0.0");
});
