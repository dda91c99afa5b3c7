// Tests of the causal chain that `lbctl explain` shows: what has no chain, and every link of it
// with all that it may say.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ExplainStep } from "../../../src/api/types.ts";
import type { Mac } from "../../../src/core/mac.ts";
import { bootMs } from "../../../src/core/time.ts";
import type { ExplainSources } from "../../../src/daemon/explain.ts";
import { explain } from "../../../src/daemon/explain.ts";
import type { Verdict } from "../../../src/ownership/candidates.ts";
import type { Eligibility } from "../../../src/ownership/eligibility.ts";
import type { MemberStatus } from "../../../src/ownership/members.ts";
import type { VipView } from "../../../src/ownership/views.ts";
import { explainSources, NOW, OWNED, VIP } from "../../support/explain-sources.ts";
import { ip } from "../../support/ipam-requests.ts";
import type { ServiceOptions } from "../../support/kubernetes-objects.ts";
import { clusterOf, node, resource, service } from "../../support/kubernetes-objects.ts";

const POOLS = [
  resource("lan", { addresses: ["10.0.0.0/28", "2001:db8::/124"] }),
  resource("spare", { addresses: ["10.1.0.0/28"], autoAssign: false }),
];

/** A cluster in which "lan" is advertised and "spare" is not. */
function clusterWith(...services: readonly ReturnType<typeof service>[]) {
  const advertisements = [
    resource("all", {
      ipAddressPools: ["lan"],
      preferredNodeSelectors: [{ weight: 50, preference: { matchLabels: { lb: "yes" } } }],
    }),
    resource("rack", { ipAddressPools: ["lan"], interfaces: ["eth0"] }),
  ];
  const nodes = [node("n1"), node("n3", { labels: { lb: "yes" } })];
  return clusterOf({ services, nodes, pools: POOLS, advertisements });
}

const WEB = service("default/web", { ips: [VIP] });

function sources(changes: Partial<ExplainSources> = {}): ExplainSources {
  return explainSources(clusterWith(WEB), changes);
}

const IDLE: VipView = { ...OWNED, phase: { kind: "idle" } };

const UNKNOWN: readonly (readonly [name: string, subject: string])[] = [
  ["nothing", ""],
  ["a Service that is not there", "default/none"],
  ["a Service of another namespace", "shop/web"],
  ["a Service of another type", "default/inner"],
  ["an address that is in no pool", "192.168.1.1"],
  ["a prefix", "10.0.0.0/28"],
];

for (const [name, subject] of UNKNOWN) {
  test(`explain() knows nothing of ${name}`, () => {
    const inner = service("default/inner", { spec: { type: "ClusterIP" } });
    assert.equal(explain(subject, sources({ cluster: clusterWith(WEB, inner) })), null);
  });
}

/** The one step of that kind. */
function stepOf(step: ExplainStep["step"], subject: string, changes: Partial<ExplainSources>) {
  const found = explain(subject, sources(changes))?.steps.filter((one) => one.step === step);
  assert.equal(found?.length, 1);
  return [found[0]?.state, found[0]?.text];
}

interface ServiceRow {
  readonly name: string;
  readonly service: ServiceOptions;
  readonly changes?: Partial<ExplainSources>;
  readonly expected: readonly [state: ExplainStep["state"], text: string];
}

const SERVICE_ROWS: readonly ServiceRow[] = [
  {
    name: "somebody else's",
    service: { spec: { loadBalancerClass: "example.com/lb" } },
    expected: ["no", 'default/web has loadBalancerClass "example.com/lb": not lbd\'s'],
  },
  {
    name: "one that waits, on the leader",
    service: {},
    changes: { pending: (key) => `no available IPs for ${key}` },
    expected: ["problem", "default/web asks for any address: no available IPs for default/web"],
  },
  {
    name: "one whose request cannot be read",
    service: { spec: { loadBalancerIP: "x" } },
    changes: { pending: () => "mend it" },
    expected: ["problem", 'default/web spec.loadBalancerIP: found "x", expected an IP: mend it'],
  },
  {
    name: "one that keeps its address and wants another",
    service: { ips: [VIP], spec: { loadBalancerIP: "10.0.0.2" } },
    changes: { pending: () => '"10.0.0.2" is in use' },
    expected: ["problem", 'default/web asks for 10.0.0.2: "10.0.0.2" is in use'],
  },
  {
    name: "one without an address, asked on the leader",
    service: {},
    expected: [
      "problem",
      "default/web asks for any address, and has no address: " +
        "it has no cluster IP, or is about to get it",
    ],
  },
  {
    name: "one without an address, asked elsewhere",
    service: {},
    changes: { isLeader: false, leader: "n2" },
    expected: [
      "problem",
      "default/web asks for any address, and has no address: " +
        "the leader (n2) knows why: run lbctl explain there",
    ],
  },
  {
    name: "one without an address, while nobody leads",
    service: {},
    changes: { isLeader: false, leader: null },
    expected: [
      "problem",
      "default/web asks for any address, and has no address: " +
        "no node leads now, and only the leader gives addresses",
    ],
  },
  {
    name: "one that has what it asks for",
    service: {
      ips: ["10.0.0.1", "2001:db8::1"],
      annotations: { "metallb.io/loadBalancerIPs": "10.0.0.1,2001:db8::1" },
    },
    expected: ["ok", "default/web asks for 10.0.0.1, 2001:db8::1, and has 10.0.0.1, 2001:db8::1"],
  },
  {
    name: "one that asks for a pool, and shares",
    service: {
      ips: ["10.0.0.1"],
      annotations: { "metallb.io/address-pool": "lan", "metallb.io/allow-shared-ip": "dns" },
    },
    expected: [
      "ok",
      'default/web asks for any address of pool "lan", to share by key "dns", and has 10.0.0.1',
    ],
  },
];

for (const { name, service: options, changes, expected } of SERVICE_ROWS) {
  test(`explain() of a Service: ${name}`, () => {
    const cluster = clusterWith(service("default/web", options));
    assert.deepEqual(stepOf("service", "web", { cluster, ...changes }), expected);
  });
}

interface ChainRow {
  readonly name: string;
  readonly step: ExplainStep["step"];
  readonly address?: string;
  readonly changes?: Partial<ExplainSources>;
  readonly expected: readonly [state: ExplainStep["state"], text: string];
}

const LAST_ANSWER = { to: "02:00:00:00:00:09" as Mac, interface: "eth0" };
const answeredAt = (at: number) => ({
  vip: () => OWNED,
  answers: () => ({
    ...{ address: VIP, answered: 7, announced: 0 },
    lastAnswer: { at: bootMs(at), ...LAST_ANSWER },
  }),
});

const POOL_ROWS: readonly ChainRow[] = [
  {
    name: "in no pool any more",
    step: "pool",
    address: "192.168.1.1",
    expected: ["problem", "192.168.1.1 is in no IPAddressPool"],
  },
  {
    name: "in a pool for requests",
    step: "pool",
    address: "10.1.0.1",
    expected: ["ok", '10.1.0.1 is of pool "spare", which hands out on request only'],
  },
  {
    name: "in a pool",
    step: "pool",
    expected: ["ok", '10.0.0.1 is of pool "lan", which hands out by itself'],
  },
  {
    name: "that nothing advertises",
    step: "advertisement",
    address: "10.1.0.1",
    expected: ["problem", 'no L2Advertisement covers pool "spare": nobody may answer'],
  },
  {
    name: "that two advertise",
    step: "advertisement",
    expected: ["ok", 'L2Advertisement "all", "rack" covers the pool'],
  },
];

const OWNER_ROWS: readonly ChainRow[] = [
  {
    name: "that is new",
    step: "owner",
    expected: ["problem", "this node has not taken it up yet"],
  },
  {
    name: "that was never owned",
    step: "owner",
    changes: { vip: () => ({ ...IDLE, record: null }) },
    expected: ["problem", "nobody owns it now"],
  },
  {
    name: "that this node should own and does not",
    step: "owner",
    changes: { vip: () => IDLE },
    expected: ["problem", "n1 owns it, epoch 4; here it is idle"],
  },
  {
    name: "that this node owns",
    step: "owner",
    changes: { vip: () => OWNED },
    expected: ["ok", "n1 owns it, epoch 4; here it is owning"],
  },
  {
    name: "that another node owns",
    step: "owner",
    changes: { node: "n2", vip: () => IDLE },
    expected: ["ok", "n1 owns it, epoch 4"],
  },
];

const WIRE_ROWS: readonly ChainRow[] = [
  {
    name: "that another node owns",
    step: "wire",
    changes: { node: "n2", vip: () => IDLE },
    expected: ["unknown", "this node does not answer for it; n1 knows of its answers"],
  },
  {
    name: "that nobody owns",
    step: "wire",
    changes: { vip: () => ({ ...IDLE, record: null }) },
    expected: ["unknown", "this node does not answer for it; the owner knows of its answers"],
  },
  {
    name: "that the responder does not know yet",
    step: "wire",
    changes: { vip: () => OWNED },
    expected: ["unknown", "nobody has asked since this node took it"],
  },
  {
    name: "that nobody has asked for",
    step: "wire",
    changes: {
      vip: () => OWNED,
      answers: () => ({ address: VIP, answered: 0, lastAnswer: null, announced: 0 }),
    },
    expected: ["unknown", "nobody has asked since this node took it"],
  },
  {
    name: "that was asked for",
    step: "wire",
    changes: answeredAt(NOW - 3_400),
    expected: ["ok", "7 answers, the last 3 s ago to 02:00:00:00:00:09 on eth0"],
  },
  {
    name: "that was asked for after this question began",
    step: "wire",
    changes: answeredAt(NOW + 900),
    expected: ["ok", "7 answers, the last 0 s ago to 02:00:00:00:00:09 on eth0"],
  },
];

for (const row of [...POOL_ROWS, ...OWNER_ROWS, ...WIRE_ROWS]) {
  const { name, step, address = VIP, changes, expected } = row;
  test(`explain() of an address, link "${step}": one ${name}`, () => {
    const cluster = clusterWith(service("default/web", { ips: [address] }));
    assert.deepEqual(stepOf(step, address, { cluster, ...changes }), expected);
  });
}

test("explain() gives every node's verdict, and ranks those alone that could answer", () => {
  const eligible = { eligible: true, interfaces: ["eth0", "eth1"], unhealthy: null } as const;
  const of = (node: string, status: MemberStatus, verdict: Eligibility): Verdict => ({
    node,
    status,
    hearing: "unknown",
    state: null,
    verdict,
  });
  const verdicts = [
    of("n1", "alive", { eligible: false, reason: "no carrier" }),
    of("n2", "stopped", eligible),
    of("n3", "alive", eligible),
    of("n4", "suspect", eligible),
    of("n5", "down", eligible),
    of("n6", "alive", { ...eligible, interfaces: [], unhealthy: "not Ready" }),
    { ...of("n7", "alive", eligible), hearing: "silent" as const },
    { ...of("n8", "alive", eligible), hearing: "heard" as const, state: "draining" as const },
  ];
  const view = explain(VIP, sources({ vip: () => ({ ...OWNED, verdicts }) }));
  const steps = view?.steps.filter(({ step }) => step === "node") ?? [];
  assert.deepEqual(
    steps.map(({ state, text }) => [state, text]),
    [
      ["no", "n1: not eligible, no carrier"],
      ["no", "n2: eligible, but lbd does not run there"],
      ["ok", "n3: eligible on eth0, eth1, rank 1, preferred (weight 50)"],
      ["no", "n4: eligible, but its Lease says suspect"],
      ["no", "n5: eligible, but its Lease says down"],
      ["ok", "n6: eligible, rank 2, last resort (not Ready)"],
      ["no", "n7: eligible, but not heard here"],
      ["no", "n8: eligible, but its daemon is draining"],
    ],
  );
});

const kindsOf = (view: ReturnType<typeof explain>) => view?.steps.map(({ step }) => step);

test("explain() of a Service goes through the chain of each of its addresses", () => {
  const cluster = clusterWith(service("default/web", { ips: [VIP, "2001:db8::1"] }));
  const vip = (address: string) => (address === VIP ? OWNED : null);
  const view = explain("default/web", sources({ cluster, vip }));
  assert.equal(view?.subject, "default/web");
  assert.equal(
    view?.answer,
    "has 10.0.0.1 (node n1 answers for it), 2001:db8::1 (nobody answers for it)",
  );
  const ofVip = ["pool", "advertisement", "owner", "wire"];
  assert.deepEqual(kindsOf(view), ["service", ...ofVip, "pool", "advertisement", "owner"]);
});

test("explain() of a Service without an address ends with the Service", () => {
  const view = explain("web", sources({ cluster: clusterWith(service("default/web")) }));
  assert.deepEqual([view?.subject, view?.answer], ["default/web", "has no address"]);
  assert.deepEqual(kindsOf(view), ["service"]);
});

test("explain() of an address names all Services that share it, and goes its way once", () => {
  const cluster = clusterWith(WEB, service("shop/api", { ips: [VIP] }));
  const view = explain(VIP, sources({ cluster, vip: () => OWNED }));
  assert.deepEqual([view?.subject, view?.answer], [VIP, "node n1 answers for it"]);
  assert.deepEqual(kindsOf(view), ["service", "service", "pool", "advertisement", "owner", "wire"]);
});

const FREE: readonly (readonly [name: string, subject: string, answer: string])[] = [
  ["that is free", "10.0.0.7", "no Service has it: it is free"],
  ["that is reserved", "10.0.0.8", 'never handed out: the address of node "n1"'],
  ["of IPv6 in long form", "2001:DB8:0::7", "no Service has it: it is free"],
];

for (const [name, subject, answer] of FREE) {
  test(`explain() of an address of a pool ${name}`, () => {
    const reserved = new Map([[ip("10.0.0.8"), 'the address of node "n1"']]);
    const view = explain(subject, sources({ reserved }));
    assert.deepEqual([view?.subject, view?.answer], [ip(subject), answer]);
    assert.deepEqual(kindsOf(view), ["pool"]);
  });
}

test("explain() of a Service of somebody else ends with the Service", () => {
  const spec = { loadBalancerClass: "example.com/lb" };
  const cluster = clusterWith(service("default/web", { ips: ["10.9.9.9"], spec }));
  const view = explain("web", sources({ cluster }));
  assert.deepEqual(kindsOf(view), ["service"]);
  assert.equal(view?.answer, "is left to its own implementation");
});
