// Whole daemons against an API server that misbehaves. It answers nonsense: each kind is told in
// the status in its own words, with what to do, and the address is answered for all the while. Or
// it commits a Lease write whose answer its writer never sees: the record is right all the same,
// and nobody writes it again and again.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { whileMachineRuns } from "../cluster/support/daemon-cluster.ts";
import { history, leaseOf, recordOf, untilOneAnswers } from "../cluster/support/ownership-watch.ts";
import { type LeaseWrite, proxiedClusterForSuite } from "../cluster/support/proxied-cluster.ts";
import { untilLive } from "../cluster/support/strike.ts";
import { eventually } from "../lab/eventually.ts";

const ADDRESS = "192.168.100.50";

/** Fault, what the status says, and what it says to do. */
const FAULTS: readonly (readonly [string, RegExp, RegExp])[] = [
  ["html", /not from a Kubernetes API server: "Log in to the hotel/, /look at the API server/],
  ["unauthorized", /401|unauthorized|credentials/i, /renew the credentials/],
  ["forbidden", /403|forbidden|not allowed/i, /kubectl apply -f deploy\/rbac\.yaml/],
  ["throttled", /429|too many|busy/i, /look at the API server/],
  ["error", /500|InternalError/i, /look at the API server/],
  ["truncated", /cut|truncated|ended|broke/i, /look at the API server/],
  ["silence", /within|timed out|no answer|timeout/i, /look at the API server/],
];

/** At least one renewal of a node Lease. */
const NODE_LOST_MS = 8_000;
/** Longer than the leader goes on without having renewed. */
const LEADER_LOST_MS = 12_000;
const SETTLED_MS = 3_000;
const CONTROLLER = "lbd-controller";

interface LeaseRecord {
  readonly spec: { readonly holderIdentity?: string; readonly leaseTransitions?: number };
}

describe("an API server that misbehaves", () => {
  const proxied = proxiedClusterForSuite({ nodes: 3 });
  let owner = "";

  before(async () => {
    const { cluster } = proxied();
    await cluster.createService("web");
    assert.equal(await cluster.addressOf("web"), ADDRESS);
    owner = await cluster.untilAnswering(ADDRESS);
  });

  for (const [fault, words, advice] of FAULTS) {
    test(`"${fault}" is told in words, silences nobody, and is survived`, async () => {
      const { cluster } = proxied();
      let attempts = 0;
      await whileMachineRuns(cluster, ADDRESS, async () => {
        attempts += 1;
        // Nothing moves it but a machine that stood still.
        if (attempts > 1) owner = await cluster.untilAnswering(ADDRESS);
        proxied().setFault(fault);
        try {
          const status = await cluster.untilStatus(cluster.daemon(owner), words, 20_000);
          assert.match(status, advice);
          assert.match(status, /what was last read is in use/);
          assert.equal(await cluster.untilAnswering(ADDRESS), owner);
        } finally {
          proxied().setFault("");
        }
        await cluster.untilStatus(cluster.daemon(owner), /health +ok/, 30_000);
        assert.equal(await cluster.untilAnswering(ADDRESS), owner);
      });
    });
  }

  describe("by losing the answer to a Lease write", () => {
    /** What was written meanwhile to Leases with names that begin so; each answer was lost. */
    async function lostDuring(prefix: string, work: () => Promise<void>): Promise<LeaseWrite[]> {
      const p = proxied();
      const pattern = new RegExp(`^${prefix}`);
      const before = p.leaseWrites(pattern).length;
      p.setFault(`lost-answers ${prefix}`);
      try {
        await work();
        const writes = p.leaseWrites(pattern).slice(before);
        assert.ok(writes.some(({ status, isAnswerLost }) => status < 300 && isAnswerLost));
        return writes;
      } finally {
        p.setFault("");
      }
    }

    test("of a VIP that was claimed: one owner, at the next epoch, written once", async () => {
      const { cluster: c } = proxied();
      await untilLive(c);
      const before = await untilOneAnswers(c, ADDRESS);
      const writes = await lostDuring(leaseOf(ADDRESS), async () => {
        await c.daemon(before.owner).kill("SIGKILL");
        await c.untilAnswering(ADDRESS, { accepts: (node) => node !== before.owner });
        await sleep(SETTLED_MS);
      });
      const after = await untilOneAnswers(c, ADDRESS);
      assert.notEqual(after.owner, before.owner);
      assert.equal(after.epoch, before.epoch + 1);
      assert.equal(writes.filter(({ status }) => status < 300).length, 1, JSON.stringify(writes));
      assert.ok(writes.length <= 3, JSON.stringify(writes));
      // A tenure that lapsed meanwhile, as the machine stood still, is resumed and no other.
      const gains = (await history(c.daemon(after.owner), ADDRESS)).filter(
        ({ change, cause }) => change === "gained" && cause !== "resumed",
      );
      assert.equal(gains[0]?.cause, "owner-silent");
      await c.start(c.node(before.owner));
      await untilLive(c);
      assert.deepEqual(await recordOf(c, ADDRESS), after, "and it stays so");
    });

    test("of a VIP that is new: one owner, at the first epoch", async () => {
      const { cluster: c } = proxied();
      let address = "";
      const writes = await lostDuring("lbd-vip-192.168.100.5", async () => {
        await c.createService("new");
        address = await c.addressOf("new");
        await c.untilAnswering(address);
        await sleep(SETTLED_MS);
      });
      assert.equal((await untilOneAnswers(c, address)).epoch, 1);
      assert.ok(writes.length <= 3, JSON.stringify(writes));
    });

    test("of a node: it stays a member, renews at its pace, and keeps what it has", async () => {
      const { cluster: c } = proxied();
      await c.untilAnswering(ADDRESS);
      const before = await recordOf(c, ADDRESS);
      await whileMachineRuns(c, ADDRESS, async () => {
        const writes = await lostDuring(`lbd-node-${before.owner}`, () => sleep(NODE_LOST_MS));
        assert.ok(writes.length <= NODE_LOST_MS / 1_000, JSON.stringify(writes));
        assert.deepEqual(await untilOneAnswers(c, ADDRESS), before);
      });
      await c.untilStatus(c.daemon(before.owner), /health +ok/);
    });

    test("of the leader: one leads, and a new Service gets its address", async () => {
      const { cluster: c } = proxied();
      const controller = () =>
        c.controlPlane.get<LeaseRecord>("lease", CONTROLLER, "-n", "lbd-system");
      const { leaseTransitions = 0 } = (await controller()).spec;
      const writes = await lostDuring(CONTROLLER, () => sleep(LEADER_LOST_MS));
      // The leader's every 2 s, and once each of who would follow it.
      assert.ok(writes.length <= LEADER_LOST_MS / 500, JSON.stringify(writes));
      await c.createService("later");
      await c.untilAnswering(await c.addressOf("later"));
      const { spec } = await eventually("a leader", controller, {
        until: (lease) => (lease.spec.holderIdentity ?? "") !== "",
      });
      assert.ok((spec.leaseTransitions ?? 0) <= leaseTransitions + 1);
    });
  });
});
