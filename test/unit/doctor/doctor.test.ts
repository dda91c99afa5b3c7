// Tests of the doctor's checks: what each finds in spoilt facts, and what it lets pass.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { WallMs } from "../../../src/core/time.ts";
import { diagnose } from "../../../src/doctor/doctor.ts";
import { type DaemonFacts, type Facts, known, unknown } from "../../../src/doctor/facts.ts";
import { address, HEALTHY, HOUR_MS, NOW, nic } from "./healthy-facts.ts";

const DAY_MS = 24 * HOUR_MS;
const EXCLUDE = "node.kubernetes.io/exclude-from-external-load-balancers";

function daemon(changes: Partial<DaemonFacts>): Partial<Facts> {
  assert.ok(HEALTHY.daemon.known);
  return { daemon: known({ ...HEALTHY.daemon.value, ...changes }) };
}

function processes(name: string, command: string): Partial<Facts> {
  return { processes: known([{ pid: 77, name, command }]) };
}

function ends(leftMs: number, lifeMs: number | null): Partial<Facts> {
  const expiresAt = (NOW + leftMs) as WallMs;
  const issuedAt = lifeMs === null ? null : ((expiresAt - lifeMs) as WallMs);
  const token = { issuedAt, expiresAt };
  return { credentials: known({ kubeconfig: "/k", token, certificateExpiresAt: null }) };
}

function certificate(leftMs: number): Partial<Facts> {
  const certificateExpiresAt = (NOW + leftMs) as WallMs;
  return { credentials: known({ kubeconfig: "/k", token: null, certificateExpiresAt }) };
}

function disk(changes: object): Partial<Facts> {
  const all = { freeBytes: 5e9, totalBytes: 20e9, freeFiles: 1e6, totalFiles: 2e6, ...changes };
  return { state: { ...HEALTHY.state, disk: known(all) } };
}

const ipvs = nic({
  name: "kube-ipvs0",
  canAnswer: false,
  addresses: [address("192.168.100.50/32")],
  isDefaultRoute: false,
});
const strict = { arpIgnore: 1, arpAnnounce: 2, rpFilter: 0 };
const storage = nic({ name: "eth1", addresses: [address("10.9.0.2/24")] });
const behind = nic({ isDefaultRoute: false, sysctls: { ...strict, rpFilter: 1 } });
const bridge = nic({ name: "br0", bridge: { snoops: true, queries: false } });
const silent = { node: "n2", member: "alive", daemon: null };
const noDaemon = { daemon: unknown("Cannot reach the daemon"), socket: HEALTHY.socket };
const stopped = { ...noDaemon, socket: { ...HEALTHY.socket, state: "missing" as const } };

type Row = readonly [
  name: string,
  facts: Partial<Facts>,
  found: readonly [check: string, severity: "error" | "warning", cause: RegExp, fix: RegExp],
];

/** What was spoilt, the check that finds it, how bad it is, and words of cause and fix. */
const FOUND: readonly Row[] = [
  [
    "a node file that cannot be used",
    { nodeFile: { path: "/x", problem: "Cannot use it: nodeNmae" } },
    ["node file", "error", /nodeNmae/, /lbd --check --config \/x/],
  ],
  [
    "what the daemon itself says is failing",
    daemon({ findings: [{ health: "failing", what: "w", cause: "because", next: "do it" }] }),
    ["daemon", "error", /^because$/, /^do it$/],
  ],
  [
    "a daemon that has failed",
    { ...stopped, unit: known({ load: "loaded", active: "failed", result: "exit-code" }) },
    ["daemon", "error", /exit-code/, /journalctl -u lbd/],
  ],
  [
    "a daemon that runs and does not answer",
    stopped,
    ["daemon", "error", /Cannot reach/, /restart lbd/],
  ],
  [
    "another process on the socket",
    { ...noDaemon, socket: { path: "/s", state: "other", holder: "nc (process 5)" } },
    ["socket", "error", /nc \(process 5\) answers/, /ss -xlp/],
  ],
  [
    "a file where the socket should be",
    { ...noDaemon, socket: { path: "/s", state: "not-a-socket", holder: null } },
    ["socket", "error", /no socket lies there/, /ls -l \/s/],
  ],
  [
    "a user who is not in the group",
    {
      ...stopped,
      user: { ...HEALTHY.user, name: "joe", isRoot: false },
      socket: { ...HEALTHY.socket, state: "forbidden" },
    },
    ["group", "warning", /group "lbd"/, /sudo usermod -aG lbd joe/],
  ],
  [
    "a group that there is not",
    { user: { ...HEALTHY.user, groupExists: false } },
    ["group", "warning", /no group "lbd"/, /groupadd --system lbd/],
  ],
  ...(
    [
      ["unreadable", /may not read/],
      ["read-only", /nothing can be written/],
      ["not-a-folder", /a file lies/],
      ["file-unreadable", /cannot be opened/],
      ["not-a-database", /damaged/],
    ] as const
  ).map(
    ([problem, cause]) =>
      [
        `a state folder with the problem ${problem}`,
        { state: { ...HEALTHY.state, problem } },
        ["state", "error", cause, /./],
      ] satisfies Row,
  ),
  ["a full disk", disk({ freeBytes: 1e6 }), ["disk", "error", /^1 MB of 20000 MB/, /df -h/]],
  ["a disk that is nearly full", disk({ freeBytes: 1e8 }), ["disk", "warning", /^100 MB/, /df -h/]],
  ["a disk without inodes", disk({ freeFiles: 3 }), ["disk", "error", /^3 of/, /df -i/]],
  [
    "a kubeconfig that is not valid",
    { credentialProblem: "Cannot use kubeconfig", credentials: unknown("Cannot use kubeconfig") },
    ["credentials", "error", /Cannot use kubeconfig/, /lbctl join/],
  ],
  ["an expired token", ends(-HOUR_MS, HOUR_MS), ["credentials", "error", /"\/k"/, /lbctl join/]],
  [
    "an hourly token that nobody renewed",
    ends(600_000, HOUR_MS),
    ["credentials", "warning", /"\/k"/, /lbctl join/],
  ],
  [
    "a yearly token's last week",
    ends(7 * DAY_MS, 365 * DAY_MS),
    ["credentials", "warning", /./, /./],
  ],
  ["a token of unknown life", ends(HOUR_MS, null), ["credentials", "warning", /./, /./]],
  ["an expired certificate", certificate(-1), ["credentials", "error", /./, /certificate/]],
  ["a certificate's last days", certificate(3 * DAY_MS), ["credentials", "warning", /./, /./]],
  [
    "an API that does not answer",
    { missingPermissions: unknown("Cannot reach https://x") },
    ["kubernetes api", "error", /https:\/\/x/, /kubectl --kubeconfig/],
  ],
  [
    "missing verbs",
    {
      missingPermissions: known([
        { namespace: "lbd-system", group: "", resource: "secrets", verb: "get", name: "k" },
        { namespace: "", group: "events.k8s.io", resource: "events", verb: "patch", name: "" },
      ]),
    },
    [
      "permissions",
      "error",
      /get secrets "k" in lbd-system, patch events\.events\.k8s\.io$/,
      /rbac\.yaml/,
    ],
  ],
  [
    "kubeadm's label on a single node",
    { nodes: known([{ name: "n1", labels: [EXCLUDE] }]) },
    ["exclude label", "error", /all 1 have the label/, /kubectl label nodes n1 .*-; or ignore/],
  ],
  [
    "no carrier",
    { interfaces: known([nic({ hasCarrier: false })]) },
    ["links", "error", /no carrier/, /ethtool eth0/],
  ],
  [
    "an interface that is down",
    { interfaces: known([nic({ hasCarrier: false, isUp: false })]) },
    ["links", "error", /is down/, /ip link set eth0 up/],
  ],
  [
    "no interface in a pool's network",
    { interfaces: known([storage]) },
    ["links", "warning", /"lan" \(looked at eth1\)/, /ip -brief address/],
  ],
  [
    "a pool's address on this host",
    { interfaces: known([nic({ addresses: [address("192.168.100.50/24")] })]) },
    ["addresses", "error", /eth0 of this host/, /ip address del 192\.168\.100\.50\/24 dev eth0/],
  ],
  [
    "a pool's address on another host",
    daemon({ withheld: [{ address: "192.168.100.51", because: "quarantined: host x" }] }),
    ["addresses", "warning", /host x/, /lbctl explain 192\.168\.100\.51/],
  ],
  [
    "IPVS without strict ARP",
    { interfaces: known([nic(), ipvs]) },
    ["arp", "error", /arp_ignore is 0 .*192\.168\.100\.50 of the pools/, /strictARP: true/],
  ],
  [
    "IPVS with arp_ignore alone",
    { interfaces: known([nic({ sysctls: { ...strict, arpAnnounce: 0 } }), ipvs]) },
    ["arp", "error", /arp_announce 0/, /strictARP/],
  ],
  [
    "a strict rp_filter where the default route is elsewhere",
    { interfaces: known([behind, storage]) },
    ["rp_filter", "warning", /through eth1/, /sysctl -w net\.ipv4\.conf\.eth0\.rp_filter=2/],
  ],
  [
    "a peer that is not heard",
    daemon({ members: [silent] }),
    ["beacons", "error", /no other node is heard/, /tcpdump -ni eth0 udp port 7473/],
  ],
  [
    "a peer that is not heard, and a bridge that snoops without a querier",
    { ...daemon({ members: [silent] }), interfaces: known([bridge]) },
    ["beacons", "error", /bridge br0 of this host snoops/, /br0 type bridge mcast_snooping 0/],
  ],
  [
    "a clock that is not synchronised",
    { clock: { ...HEALTHY.clock, isSynchronized: known(false) } },
    ["clock", "warning", /NTPSynchronized=no/, /chrony/],
  ],
  [
    "a clock that was stepped",
    { clock: { ...HEALTHY.clock, steps: known(["a", "stepped by 5 s"]) } },
    ["clock", "warning", /2 times .* stepped by 5 s/, /journalctl/],
  ],
  [
    "a peer whose clock is ahead",
    { clock: { ...HEALTHY.clock, renewals: known([{ node: "n2", at: (NOW + 9_000) as WallMs }]) } },
    ["clock", "warning", /still to come/, /chrony/],
  ],
  [
    "a dead kube-proxy",
    { kubeProxy: known({ answer: "silent", detail: "ECONNREFUSED" }) },
    ["kube-proxy", "warning", /no kube-proxy and no replacement/, /k8s-app=kube-proxy/],
  ],
  [
    "a kube-proxy that is not well",
    { kubeProxy: known({ answer: "unhealthy", detail: "503" }) },
    ["kube-proxy", "warning", /says 503/, /k8s-app=kube-proxy/],
  ],
  ...(
    [
      ["speaker", "/speaker --port=7472", /import metallb/],
      ["controller", "/controller --webhook-mode=onlywebhooks", /import metallb/],
      ["kube-vip", "/kube-vip manager", /svc_enable/],
      ["keepalived", "/usr/sbin/keepalived --dont-fork", /systemctl disable --now keepalived/],
      ["lbnodeagent", "/lbnodeagent", /purelb/],
      ["openelb-speaker", "openelb-speaker", /openelb/],
    ] as const
  ).map(
    ([name, command, fix]) =>
      [
        `another load balancer: ${name}`,
        processes(name, command),
        ["rivals", "warning", /process 77/, fix],
      ] satisfies Row,
  ),
];

for (const [name, facts, [check, severity, cause, fix]] of FOUND) {
  test(`diagnose() finds ${name}`, () => {
    const { findings, checks } = diagnose({ ...HEALTHY, ...facts });
    const found = findings.filter((one) => one.check === check);
    assert.equal(found.length, 1, JSON.stringify(findings));
    assert.equal(found[0]?.severity, severity);
    assert.match(found[0]?.cause ?? "", cause);
    assert.match(found[0]?.fix ?? "", fix);
    assert.ok((found[0]?.what ?? "").length > 10 || check === "daemon");
    assert.equal(checks.find((one) => one.check === check)?.state, "found");
  });
}

/** Looks alike, and is as it should be. */
const PASSED: readonly (readonly [name: string, facts: Partial<Facts>])[] = [
  ["a healthy host", {}],
  ["IPVS with strict ARP", { interfaces: known([nic({ sysctls: strict }), ipvs]) }],
  ["a loose rp_filter", { interfaces: known([nic({ sysctls: { ...strict, rpFilter: 2 } })]) }],
  ["a strict one on the default route", { interfaces: known([nic({ sysctls: behind.sysctls })]) }],
  // A bridge floods 224.0.0.0/24 whether it snoops or not (RFC 4541 section 2.1.2).
  ["a bridge that snoops, while all peers are heard", { interfaces: known([bridge]) }],
  [
    "a dead interface that no pool lies on",
    {
      interfaces: known([nic(), { ...storage, hasCarrier: false }]),
    },
  ],
  ["no pool yet", { pools: known([]), interfaces: known([storage]) }],
  [
    "the label on some nodes",
    {
      nodes: known([
        { name: "n1", labels: [EXCLUDE] },
        { name: "n2", labels: [] },
      ]),
    },
  ],
  [
    "the label where it is not looked at",
    {
      ignoreExcludeLabel: true,
      nodes: known([{ name: "n1", labels: [EXCLUDE] }]),
    },
  ],
  [
    "Cilium in place of kube-proxy",
    {
      kubeProxy: known({ answer: "silent", detail: "ECONNREFUSED" }),
      ...processes("cilium-agent", "cilium-agent --config-dir=/tmp"),
    },
  ],
  ["a controller of something else", processes("controller", "/controller --leader-elect")],
  ["a small disk that is half empty", disk({ freeBytes: 1e8, totalBytes: 2e8 })],
  ["a disk that makes inodes as they are needed", disk({ freeFiles: 0, totalFiles: 0 })],
  ["a yearly token in its middle", ends(180 * DAY_MS, 365 * DAY_MS)],
  ["a state folder that is not made yet", { state: { ...HEALTHY.state, problem: "missing" } }],
  [
    "a peer whose Lease is late",
    {
      clock: { ...HEALTHY.clock, renewals: known([{ node: "n2", at: (NOW - 9_000) as WallMs }]) },
    },
  ],
  [
    "a peer that is down, and is not heard",
    daemon({
      members: [{ node: "n2", member: "down", daemon: null }],
    }),
  ],
];

for (const [name, facts] of PASSED) {
  test(`diagnose() finds nothing in ${name}`, () => {
    assert.deepEqual(diagnose({ ...HEALTHY, ...facts }).findings, []);
  });
}

test("diagnose() says of each fact that is not known why a check was not made", () => {
  const why = unknown("it is not installed");
  const clock = { isSynchronized: why, steps: why, renewals: why };
  const gone = { interfaces: why, pools: why, nft: why, iptables: why, kubeProxy: why, clock };
  const more = { processes: why, credentials: why, missingPermissions: why, nodes: why, unit: why };
  const disk = { ...HEALTHY.state, disk: why };
  const nothing: Facts = { ...HEALTHY, ...gone, ...more, ...stopped, daemon: why, state: disk };
  const { findings, checks } = diagnose(nothing);
  assert.deepEqual(findings, []);
  const skipped = checks.filter(({ state }) => state === "skipped");
  assert.equal(skipped.length, 15);
  assert.ok(skipped.every(({ note }) => note.includes("it is not installed")));
});

test("diagnose() tells errors before warnings", () => {
  const { findings } = diagnose({
    ...HEALTHY,
    ...disk({ freeBytes: 1e8 }),
    nodes: known([{ name: "n1", labels: [EXCLUDE] }]),
  });
  assert.deepEqual(
    findings.map(({ severity }) => severity),
    ["error", "warning"],
  );
});

test("diagnose() leaves the state folder to root", () => {
  const user = { ...HEALTHY.user, isRoot: false, isMember: true };
  const state = { ...HEALTHY.state, problem: "unreadable" as const };
  const { findings, checks } = diagnose({ ...HEALTHY, user, state });
  assert.deepEqual(findings, []);
  assert.equal(checks.find(({ check }) => check === "state")?.state, "skipped");
});
