// The beacons of real daemons: their key, its rotation, what strangers send, records that somebody
// edits, and a name that two hosts use. Nothing takes an address from a live owner but the record.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { describe, test } from "node:test";
import { BeaconStranger } from "../cluster/support/beacon-stranger.ts";
import { clusterForSuite, type DaemonCluster } from "../cluster/support/daemon-cluster.ts";
import {
  ABROAD,
  beaconAbroad,
  decode,
  FORGERIES,
  type Recorded,
} from "../cluster/support/forged-datagrams.ts";
import {
  answerers,
  counters,
  history,
  keepsAnswering,
  leaseOf,
  recordOf,
  type Tenure,
  untilMembers,
  untilOneAnswers,
} from "../cluster/support/ownership-watch.ts";
import type { LabDaemon } from "../lab/daemon.ts";
import { eventually } from "../lab/eventually.ts";

const ADDRESS = "192.168.100.50";
const SECRET = ["secret", "lbd-beacon-key", "-n", "lbd-system"];
const LEASE = ["lease", leaseOf(ADDRESS), "-n", "lbd-system"];
const KEY_BYTES = 32;
/** More than two reads of the Secret, and the time in which the old key is still sent. */
const ROTATION_MS = 20_000;
/** A node that never was has a Lease's time to show itself, and is asked for once more. */
const GHOST_MS = 30_000;

const NOTE_ABROAD = new RegExp(`note: Beacons on \\S+ say .* another cluster, ${ABROAD}:`);

type Present = Tenure & { readonly rows: number };

/** One answers, everybody knows who; how long its history is. */
async function present(c: DaemonCluster): Promise<Present> {
  const tenure = await untilOneAnswers(c, ADDRESS);
  return { ...tenure, rows: (await history(c.daemon(tenure.owner), ADDRESS)).length };
}

/** The owner answers, at its epoch, and has not lost the address meanwhile. */
async function nothingMoved(c: DaemonCluster, before: Present): Promise<void> {
  const { owner, epoch, rows } = before;
  assert.deepEqual(await answerers(c, ADDRESS), [owner]);
  assert.deepEqual(await recordOf(c, ADDRESS), { owner, epoch });
  assert.equal((await history(c.daemon(owner), ADDRESS)).length, rows);
}

async function keyOf(c: DaemonCluster): Promise<Uint8Array> {
  const secret = await c.controlPlane.get<{ data: { current: string } }>(...SECRET);
  return Buffer.from(secret.data.current, "base64");
}

/** A beacon of the node, as the client hears it. */
async function beaconOf(c: DaemonCluster, node: string): Promise<Recorded> {
  const key = await keyOf(c);
  const find = async (): Promise<Recorded[]> => {
    const heard = await new BeaconStranger(c.lab.client).record(6);
    return heard.flatMap(({ from, bytes }) => {
      const decoded = decode(bytes, key);
      if (!decoded.ok || decoded.value.node !== node) return [];
      return decoded.value.body.kind === "beacon"
        ? [{ from, bytes, datagram: decoded.value, key }]
        : [];
    });
  };
  const [found] = await eventually(`a beacon of ${node}`, find, {
    until: ({ length }) => length > 0,
  });
  assert.ok(found !== undefined);
  return found;
}

/** The counter grows on all these nodes by what is done. */
async function counts(
  c: DaemonCluster,
  { counter, nodes }: { counter: string; nodes: readonly string[] },
  act: () => Promise<void>,
): Promise<void> {
  const read = async (node: string): Promise<number> =>
    (await counters(c.daemon(node)))[counter] ?? 0;
  const before = await Promise.all(nodes.map(read));
  await act();
  for (const [at, node] of nodes.entries()) {
    const until = (now: number): boolean => now > (before[at] ?? 0);
    await eventually(`${counter} on ${node}`, () => read(node), { until });
  }
}

async function hmacDrops(daemon: LabDaemon): Promise<number> {
  return (await counters(daemon))["beacon-drop-hmac"] ?? 0;
}

function patch(c: DaemonCluster, what: readonly string[], by: object): Promise<string> {
  return c.controlPlane.kubectl(["patch", ...what, "--type=merge", "-p", JSON.stringify(by)]);
}

describe("beacons", () => {
  const cluster = clusterForSuite({ nodes: 3 });
  let before: Present = { owner: "", epoch: 0, rows: 0 };

  test("the leader makes the key, and all daemons hear each other", async () => {
    const c = cluster();
    await c.createService("web");
    assert.equal(await c.addressOf("web"), ADDRESS);
    await untilMembers(c, 3);
    assert.equal((await keyOf(c)).length, KEY_BYTES);
    for (const node of c.lab.nodes) {
      const { from, datagram } = await beaconOf(c, node.name);
      assert.deepEqual([from, datagram.address], [node.address(), node.address()]);
    }
    for (const daemon of c.daemons.values()) {
      const before = await counters(daemon);
      const until = (now: Readonly<Record<string, number>>): boolean =>
        (now["beacon-received"] ?? 0) >= (before["beacon-received"] ?? 0) + 20;
      const after = await eventually("20 beacons", () => counters(daemon), { until });
      assert.equal(after["beacon-drop-hmac"], before["beacon-drop-hmac"]);
    }
    before = await present(c);
  });

  test("a key that is rotated moves nothing, and no beacon is dropped for it", async () => {
    const c = cluster();
    const drops = () => Promise.all([...c.daemons.values()].map(hmacDrops));
    const dropsBefore = await drops();
    const [previous, current] = [await keyOf(c), randomBytes(KEY_BYTES)];
    const base64 = (key: Uint8Array): string => Buffer.from(key).toString("base64");
    await patch(c, SECRET, { data: { current: base64(current), previous: base64(previous) } });
    await keepsAnswering(c, { address: ADDRESS, owner: before.owner, forMs: ROTATION_MS });
    await nothingMoved(c, before);
    assert.deepEqual(await drops(), dropsBefore);
    // By now everybody sends with the new one.
    for (const { bytes } of await new BeaconStranger(c.lab.client).record(30)) {
      assert.ok(decode(bytes, current).ok);
    }
  });

  for (const { reason, what, forge } of FORGERIES) {
    test(`${what} is counted as ${reason} and moves nothing`, async () => {
      const c = cluster();
      const recorded = await beaconOf(c, c.other(before.owner).node.name);
      const datagrams = Array.from({ length: 5 }, () => forge(recorded, ADDRESS));
      const nodes = c.lab.nodes.map((node) => node.name);
      await counts(c, { counter: `beacon-drop-${reason}`, nodes }, () =>
        new BeaconStranger(c.lab.client).send(datagrams),
      );
      await nothingMoved(c, before);
    });
  }

  test("another cluster on the LAN is told of once, with its host, and is no trouble", async () => {
    const c = cluster();
    const stranger = new BeaconStranger(c.lab.client);
    const { name } = c.other(before.owner).node;
    const recorded = await beaconOf(c, name);
    const beacons = Array.from({ length: 20 }, () => beaconAbroad(recorded));
    const nodes = c.lab.nodes.map((node) => node.name);
    await counts(c, { counter: "beacon-drop-foreign-cluster", nodes }, () =>
      stranger.send(beacons),
    );
    for (const daemon of c.daemons.values()) {
      const status = await c.untilStatus(daemon, NOTE_ABROAD);
      assert.match(status, /^health {4}ok$/m);
      assert.match(status, new RegExp(`the host ${c.lab.client.address()} sends them.*"${name}"`));
      assert.equal(daemon.process.log().match(/"event":"foreign-cluster"/g)?.length, 1);
    }
    await nothingMoved(c, before);
  });

  test("a recorded beacon of the owner is counted as replay and moves nothing", async () => {
    const c = cluster();
    const stranger = new BeaconStranger(c.lab.client);
    const { from, bytes } = await beaconOf(c, before.owner);
    const nodes = c.lab.nodes.map((node) => node.name).filter((name) => name !== before.owner);
    const replay = () => stranger.sendAs(from, new Array(5).fill(bytes));
    await counts(c, { counter: "beacon-drop-replay", nodes }, replay);
    await nothingMoved(c, before);
  });

  test("a VIP Lease that is deleted is written again by the owner, and nothing moves", async () => {
    const c = cluster();
    const { owner, epoch, rows } = before;
    await c.controlPlane.kubectl(["delete", ...LEASE]);
    await keepsAnswering(c, { address: ADDRESS, owner, forMs: 3_000 });
    const written = await recordOf(c, ADDRESS);
    assert.equal(written.owner, owner);
    assert.ok(written.epoch >= epoch);
    assert.equal((await history(c.daemon(owner), ADDRESS)).length, rows);
  });

  test("a VIP Lease that is edited to another node, with a higher epoch, counts", async () => {
    const c = cluster();
    const { owner, epoch } = await recordOf(c, ADDRESS);
    const next = c.other(owner).node.name;
    await patch(c, LEASE, { spec: { holderIdentity: next, leaseTransitions: epoch + 5 } });
    const after = await untilOneAnswers(c, ADDRESS);
    assert.equal(after.owner, next);
    assert.ok(after.epoch >= epoch + 5);
    const [lost] = (await history(c.daemon(owner), ADDRESS)).filter(
      ({ change }) => change === "lost",
    );
    assert.equal(lost?.cause, "yielded");
  });

  for (const [what, spec, metadata] of [
    ["without an epoch", { leaseTransitions: null }, {}],
    ["of an epoch that none can follow", { leaseTransitions: 2_147_483_647 }, {}],
    ["of a node that never was", { holderIdentity: "ghost" }, {}],
    ["of no node and no epoch", { holderIdentity: "\u0007{}", leaseTransitions: null }, {}],
    ["with nothing in it", null, {}],
    [
      "with odd times and annotations",
      { leaseDurationSeconds: 1, renewTime: "1999-01-01T00:00:00.000000Z" },
      { annotations: { "lbd.io/segments": "[[", odd: "\u0000" } },
    ],
  ] as const) {
    test(`a VIP Lease ${what} moves nothing, and its owner and epoch are put back`, async () => {
      const c = cluster();
      const { owner, epoch } = await recordOf(c, ADDRESS);
      await patch(c, LEASE, { spec, metadata });
      await keepsAnswering(c, { address: ADDRESS, owner, forMs: 3_000 });
      const after = await recordOf(c, ADDRESS);
      assert.equal(after.owner, owner);
      assert.ok(after.epoch >= epoch && after.epoch <= epoch + 2, `${after.epoch} after ${epoch}`);
    });
  }

  test("a VIP Lease of a ghost at a higher epoch is taken over once it is down", async () => {
    const c = cluster();
    const { epoch } = await recordOf(c, ADDRESS);
    await patch(c, LEASE, { spec: { holderIdentity: "ghost", leaseTransitions: epoch + 5 } });
    const after = await untilOneAnswers(c, ADDRESS, GHOST_MS);
    assert.ok(after.epoch > epoch + 5);
  });

  test("another cluster that is not heard any more is not told of any more", async () => {
    const c = cluster();
    for (const daemon of c.daemons.values()) {
      const options = { until: (text: string) => !NOTE_ABROAD.test(text), timeoutMs: 70_000 };
      await eventually("no note of it", () => c.status(daemon), options);
    }
  });

  test("of two hosts with one name the newer stays silent, and says so", async () => {
    const c = cluster();
    const now = await present(c);
    const { owner } = now;
    const holder = await holderOf(c, owner);
    const spare = c.node(c.other(owner).node.name);
    await c.daemon(spare.name).kill("SIGTERM");
    const config = { nodeName: owner, stateFile: join(spare.folder, "twin.db") };
    const twin = await c.start(spare, { config });
    await twin.process.waitForOutput(/"event":"name-conflict"/);
    await c.untilStatus(twin, /failing: This host owns nothing: its node's name is taken/);
    await keepsAnswering(c, { address: ADDRESS, owner, forMs: 10_000 });
    await nothingMoved(c, now);
    assert.deepEqual(await holderOf(c, owner), holder, "the older one renews its Lease");
    assert.equal((await c.vip(twin, ADDRESS))?.here, "idle");
    await twin.kill("SIGTERM");
    await keepsAnswering(c, { address: ADDRESS, owner, forMs: 3_000 });
    await c.start(spare);
    await untilMembers(c, 3);
    assert.equal((await untilOneAnswers(c, ADDRESS)).owner, owner);
  });
});

/** Who holds the node's Lease: node and incarnation. */
async function holderOf(c: DaemonCluster, node: string): Promise<string> {
  const lease = ["lease", `lbd-node-${node}`, "-n", "lbd-system"] as const;
  const { spec } = await c.controlPlane.get<{ spec: { holderIdentity: string } }>(...lease);
  return spec.holderIdentity;
}
