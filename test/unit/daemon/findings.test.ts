// Tests of what the daemon finds wrong: one finding for each thing, with its cause and what to do,
// worst first, and never a flood of one kind.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Finding } from "../../../src/api/types.ts";
import type { ForeignCluster } from "../../../src/beacon/foreign-clusters.ts";
import type { Ip } from "../../../src/core/address.ts";
import type { Mac } from "../../../src/core/mac.ts";
import type { Findable } from "../../../src/daemon/findings.ts";
import { countFindings, findings, worst } from "../../../src/daemon/findings.ts";
import type { ApiFailureKind } from "../../../src/k8s-sync/outcome.ts";

const NOTHING: Findable = {
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
  groupProblem: null,
  linkFailure: null,
};

const LOOK = "look at the API server; lbd keeps trying by itself";
const DISK = {
  health: "degraded",
  what: "The state on disk is not as it should be; answering goes on",
  next: "look at the disk (df -h, dmesg); after mending it: systemctl restart lbd",
} as const;
const CONFIG = "The configuration in the cluster is not valid: the last valid one is in use";

interface Row {
  readonly name: string;
  readonly input: Partial<Findable>;
  readonly expected: readonly Finding[];
}

function foreign(cluster: string): ForeignCluster {
  const mac = "02:00:00:00:00:09" as Mac;
  return { cluster, node: "x", interface: "eth0", address: "10.0.0.9" as Ip, mac };
}

const API_ROWS: readonly Row[] = [
  {
    name: "an API that gives nothing, once for all resources",
    input: {
      apiFailures: new Map([
        ["services", { kind: "unreachable", message: "Cannot reach it" }],
        ["nodes", { kind: "unreachable", message: "Cannot reach it" }],
      ]),
    },
    expected: [
      {
        health: "degraded",
        what: "The Kubernetes API does not give services, nodes: what was last read is in use",
        cause: "Cannot reach it",
        next: LOOK,
      },
    ],
  },
  {
    name: "resources that fail for different reasons, one by one",
    input: {
      apiFailures: new Map([
        ["services", { kind: "timeout", message: "late" }],
        ["ipaddresspools", { kind: "not-found", message: "none" }],
      ]),
    },
    expected: [
      {
        health: "degraded",
        what: "The Kubernetes API does not give services: what was last read is in use",
        cause: "late",
        next: LOOK,
      },
      {
        health: "degraded",
        what: "The Kubernetes API does not give ipaddresspools: what was last read is in use",
        cause: "none",
        next: "kubectl apply -f deploy/crds.yaml",
      },
    ],
  },
  {
    name: "Leases that cannot be written",
    input: { leaseFailure: { kind: "forbidden", message: "not allowed" } },
    expected: [
      {
        health: "degraded",
        what: "Leases cannot be written: failover goes on by beacons, and is written down later",
        cause: "not allowed",
        next: "kubectl apply -f deploy/rbac.yaml",
      },
    ],
  },
  {
    name: "addresses that cannot be written down",
    input: { writeFailure: { kind: "server-error", message: "500" } },
    expected: [
      {
        health: "degraded",
        what: "Addresses that were given to Services cannot be written into their status",
        cause: "500",
        next: LOOK,
      },
    ],
  },
];

const HERE_ROWS: readonly Row[] = [
  {
    name: "metrics that are not served",
    input: { metricsProblem: "Cannot listen on 127.0.0.1 port 7472: it is in use" },
    expected: [
      {
        health: "degraded",
        what: "Prometheus cannot read the metrics of this node",
        cause: "Cannot listen on 127.0.0.1 port 7472: it is in use",
        next: 'ss -ltnp; or another `metrics.port` in the node file, then "systemctl restart lbd"',
      },
    ],
  },
  {
    name: "an invalid pool and an invalid advertisement",
    input: {
      configProblems: [
        {
          object: { kind: "IPAddressPool", namespace: "metallb-system", name: "lan" },
          where: 'IPAddressPool "metallb-system/lan" spec.addresses[0]',
          found: '"x"',
          expected: "a range",
        },
        {
          object: { kind: "BGPPeer", namespace: "", name: "tor" },
          where: 'BGPPeer "tor" spec.x',
          found: "1",
          expected: "no such key",
        },
      ],
    },
    expected: [
      {
        health: "degraded",
        what: CONFIG,
        cause: 'IPAddressPool "metallb-system/lan" spec.addresses[0]: found "x", expected a range',
        next: "kubectl edit ipaddresspool lan -n metallb-system",
      },
      {
        health: "degraded",
        what: CONFIG,
        cause: 'BGPPeer "tor" spec.x: found 1, expected no such key',
        next: "kubectl edit bgppeer tor",
      },
    ],
  },
  {
    name: "a state file that was damaged, on a disk that is full",
    input: { storeNotice: "it was damaged", storeFailure: "no space left" },
    expected: [
      { ...DISK, cause: "it was damaged" },
      { ...DISK, cause: "no space left" },
    ],
  },
  {
    name: "an interface that cannot be listened on",
    input: { responderProblems: [{ interface: "eth0", message: "EPERM", breaks: "all" }] },
    expected: [
      {
        health: "failing",
        what: 'Interface "eth0" cannot be listened on: nothing is answered there',
        cause: "EPERM",
        next: "ip link show eth0",
      },
    ],
  },
  {
    name: "an interface that cannot be listened on for IPv6",
    input: { responderProblems: [{ interface: "eth0", message: "ENOMEM", breaks: "ipv6" }] },
    expected: [
      {
        health: "failing",
        what: 'Interface "eth0" cannot be listened on: no IPv6 address is answered for there',
        cause: "ENOMEM",
        next: "ip link show eth0",
      },
    ],
  },
  {
    name: "interfaces that cannot be read",
    input: { linkFailure: "ENOBUFS" },
    expected: [
      {
        health: "failing",
        what: "The host's interfaces cannot be read",
        cause: "ENOBUFS",
        next: 'journalctl -u lbd, then "systemctl restart lbd"',
      },
    ],
  },
  {
    name: "an interface that is not there",
    input: { missingInterfaces: ["eht0"] },
    expected: [
      {
        health: "degraded",
        what: 'An L2Advertisement names interface "eht0", which this node does not have',
        cause: "the name is misspelt, or the interface is not made yet",
        next: "ip -brief link, and kubectl get l2advertisements -A -o yaml",
      },
    ],
  },
  {
    name: "an address without an owner",
    input: { orphans: [{ address: "10.0.0.1", reason: "no node is eligible" }] },
    expected: [
      {
        health: "failing",
        what: "Nobody answers for 10.0.0.1",
        cause: "no node is eligible",
        next: "lbctl explain 10.0.0.1",
      },
    ],
  },
  {
    name: "a pool that holds a node's address",
    input: { poolConflicts: [{ pool: "lan", text: '10.0.0.1 is the address of node "n1"' }] },
    expected: [
      {
        health: "degraded",
        what: 'Pool "lan" holds an address that is in use: it is never handed out',
        cause: '10.0.0.1 is the address of node "n1"',
        next: "kubectl edit ipaddresspool lan",
      },
    ],
  },
  {
    name: "multicast groups of IPv6",
    input: { groupProblem: "Cannot join ff02::1:ff00:c8 on eth0: no memory" },
    expected: [
      {
        health: "degraded",
        what: "Who asks for IPv6 addresses may not be heard: a multicast group was not joined",
        cause: "Cannot join ff02::1:ff00:c8 on eth0: no memory",
        next: "ip -6 maddr, and sysctl net.ipv6.conf.all.disable_ipv6 net.core.optmem_max",
      },
    ],
  },
  {
    name: "beacons that are filtered",
    input: { filtered: [{ node: "n2", interface: "eth1" }] },
    expected: [
      {
        health: "degraded",
        what: 'Beacons of node "n2" do not arrive on eth1, though its host answers by ARP',
        cause: "something between the two drops UDP datagrams to `beacons.port`, one way or both",
        next: "look for a filter, on both hosts and the switch: nft list ruleset; tcpdump -i eth1",
      },
    ],
  },
  {
    name: "another cluster on the LAN, as of something to know",
    input: { foreignClusters: [foreign("ff00000000000000")] },
    expected: [
      {
        health: "ok",
        what:
          "Beacons on eth0 say that they are of another cluster, ff00000000000000: " +
          "they are ignored",
        cause:
          'the host 10.0.0.9 sends them; unproven, it calls itself node "x", ' +
          "MAC 02:00:00:00:00:09",
        next:
          "nothing, if it is meant to be there; else lbctl pools, on both: " +
          "no address in common",
      },
    ],
  },
  { name: "nothing when all is well", input: {}, expected: [] },
];

for (const { name, input, expected } of [...API_ROWS, ...HERE_ROWS]) {
  test(`findings() tells of ${name}`, () => {
    assert.deepEqual(findings({ ...NOTHING, ...input }), expected);
  });
}

const NEXT: readonly (readonly [ApiFailureKind, RegExp])[] = [
  ["unauthorized", /^renew the credentials: sudo lbctl join/],
  ["certificate", /^renew the credentials: sudo lbctl join/],
  ["forbidden", /^kubectl apply -f deploy\/rbac\.yaml$/],
  ["not-found", /^kubectl apply -f deploy\/crds\.yaml$/],
  ["unreachable", /^look at the API server/],
  ["not-json", /^look at the API server/],
];

for (const [kind, next] of NEXT) {
  test(`findings() says what to do about an API that answers "${kind}"`, () => {
    const apiFailures = new Map([["services", { kind, message: "x" }]]);
    assert.match(findings({ ...NOTHING, apiFailures })[0]?.next ?? "", next);
  });
}

const many = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ address: `10.0.0.${i}`, reason: `because ${i}` }));

test("findings() lists five of a kind, and counts the rest", () => {
  assert.equal(findings({ ...NOTHING, orphans: many(5) }).length, 5);
  const list = findings({ ...NOTHING, orphans: many(1_005) });
  assert.equal(list.length, 6);
  assert.deepEqual(list[4]?.what, "Nobody answers for 10.0.0.4");
  assert.deepEqual(list[5], {
    health: "failing",
    what: "And 1000 more of this kind",
    cause: "because 5",
    next: "lbctl vips",
  });
});

test("findings() puts what fails first, what is only to be known last, and keeps the order", () => {
  const list = findings({
    ...NOTHING,
    foreignClusters: [foreign("ff00000000000000")],
    leaseFailure: { kind: "timeout", message: "leases" },
    storeFailure: "store",
    missingInterfaces: ["eth9"],
    responderProblems: [{ interface: "eth0", message: "responder", breaks: "all" }],
    orphans: [{ address: "10.0.0.1", reason: "orphan" }],
  });
  const order = list.map(({ health, cause }) => [health, cause]);
  assert.deepEqual(order, [
    ["failing", "responder"],
    ["failing", "orphan"],
    ["degraded", "leases"],
    ["degraded", "store"],
    ["degraded", "the name is misspelt, or the interface is not made yet"],
    ["ok", list.at(-1)?.cause],
  ]);
});

test("countFindings() counts by kind, those too that are too many to be listed", () => {
  const orphans = Array.from({ length: 9 }, (_, i) => ({ address: `10.0.0.${i}`, reason: "x" }));
  const counts = countFindings({ ...NOTHING, orphans, linkFailure: "x" });
  assert.deepEqual([counts.get("unanswered"), counts.get("links"), counts.get("api")], [9, 1, 0]);
  const none = [...countFindings(NOTHING).values()];
  assert.deepEqual(new Set(none), new Set([0]), "every kind is told, also at zero");
});

test("worst() is failing when anything is, degraded when anything is, else ok", () => {
  const [failing] = findings({ ...NOTHING, linkFailure: "x" });
  const [degraded] = findings({ ...NOTHING, groupProblem: "x" });
  const [toKnow] = findings({ ...NOTHING, foreignClusters: [foreign("ff00000000000000")] });
  assert.ok(failing !== undefined && degraded !== undefined && toKnow !== undefined);
  assert.equal(worst([degraded, failing]), "failing");
  assert.equal(worst([toKnow, degraded]), "degraded");
  assert.equal(worst([toKnow]), "ok");
  assert.equal(worst([]), "ok");
});
