// Tests of what a firewall does with beacons and ARP: the words of nftables and iptables, and what
// is certain of them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { checkFirewall } from "../../../src/doctor/check-beacons.ts";
import { diagnose } from "../../../src/doctor/doctor.ts";
import { type InterfaceFact, known, unknown } from "../../../src/doctor/facts.ts";
import { ok, skipped } from "../../../src/doctor/verdict.ts";
import { address, HEALTHY, nic } from "./healthy-facts.ts";

type Expression = Readonly<Record<string, unknown>>;
type Words = readonly Expression[];

const ACCEPT = { accept: null };
const DROP = { drop: null };

function match(left: Expression, right: unknown, op = "=="): Expression {
  return { match: { op, left, right } };
}
function payload(protocol: string, field: string): Expression {
  return { payload: { protocol, field } };
}
const dport = payload("udp", "dport");
const iifname = { meta: { key: "iifname" } };
const state = { ct: { key: "state" } };

interface Base {
  readonly family?: string;
  readonly hook?: string;
  readonly policy?: string;
  readonly type?: string;
  readonly dev?: string;
}

/** One table with a base chain, and other chains by name. */
function ruleset(base: Base, rules: readonly Words[], others: Record<string, Words[]> = {}) {
  const { family = "inet", hook = "input", policy = "accept", type = "filter", dev } = base;
  const about = { family, table: "filter" };
  const rule = (chain: string) => (expr: Words) => ({ rule: { ...about, chain, expr } });
  return {
    nftables: [
      { metainfo: { json_schema_version: 1 } },
      { table: { family, name: "filter" } },
      { set: { ...about, name: "lan", elem: [{ prefix: { addr: "192.168.0.0", len: 16 } }] } },
      { set: { ...about, name: "ports", elem: [{ elem: { val: 7_473, comment: "lbd" } }] } },
      {
        chain: {
          ...about,
          name: "base",
          hook,
          policy,
          type,
          ...(dev === undefined ? {} : { dev }),
        },
      },
      ...Object.keys(others).map((name) => ({ chain: { ...about, name } })),
      ...rules.map(rule("base")),
      ...Object.entries(others).flatMap(([name, own]) => own.map(rule(name))),
    ],
  };
}

function firewallFindings(nft: unknown, iptables = ""): string[] {
  const facts = { ...HEALTHY, nft: known(nft), iptables: known(iptables) };
  const { findings } = diagnose(facts);
  return findings
    .filter(({ check }) => check === "firewall")
    .map(({ severity, what }) => `${severity}: ${what}`);
}

const BEACONS_IN = "error: The firewall drops beacons that arrive on eth0: UDP port 7473";
const BEACONS_OUT = "error: The firewall drops beacons that leave on eth0: UDP port 7473";
const PERHAPS = "warning: The firewall may drop beacons that arrive on eth0: UDP port 7473";
const ARP_IN = "error: The firewall drops ARP that arrives on eth0";

const policyDrop: Base = { policy: "drop" };
const established = [match(state, ["established", "related"], "in"), ACCEPT];
const limited = [match(dport, 7_473), { limit: { rate: 10, per: "second" } }, ACCEPT];

const NFT: readonly (readonly [name: string, ruleset: unknown, found: readonly string[]])[] = [
  ["a policy that drops", ruleset(policyDrop, []), [BEACONS_IN]],
  [
    "a policy that drops what leaves",
    ruleset({ hook: "output", policy: "drop" }, []),
    [BEACONS_OUT],
  ],
  ["what is established alone", ruleset(policyDrop, [established]), [BEACONS_IN]],
  ["another port", ruleset(policyDrop, [[match(dport, 53), ACCEPT]]), [BEACONS_IN]],
  ["another interface", ruleset(policyDrop, [[match(iifname, "lo"), ACCEPT]]), [BEACONS_IN]],
  ["TCP", ruleset(policyDrop, [[match(payload("tcp", "dport"), 7_473), ACCEPT]]), [BEACONS_IN]],
  ["a rule for the port", ruleset({}, [[match(dport, 7_473), DROP]]), [BEACONS_IN]],
  ["all but a range", ruleset({}, [[match(dport, { range: [1, 9] }, "!="), DROP]]), [BEACONS_IN]],
  ["reject", ruleset({}, [[{ counter: {} }, { reject: { type: "icmpx" } }]]), [BEACONS_IN]],
  ["a chain of its own", ruleset({}, [[{ jump: { target: "x" } }]], { x: [[DROP]] }), [BEACONS_IN]],
  [
    "a verdict map",
    ruleset({}, [
      [
        {
          vmap: {
            key: dport,
            data: {
              set: [
                [53, ACCEPT],
                [7_473, DROP],
              ],
            },
          },
        },
      ],
    ]),
    [BEACONS_IN],
  ],
  ["prerouting", ruleset({ hook: "prerouting", policy: "drop" }, []), [BEACONS_IN]],
  ["a limit before a policy that drops", ruleset(policyDrop, [limited]), [PERHAPS]],
  [
    "a match of iptables before a policy that drops",
    ruleset(policyDrop, [[{ xt: { type: "match", name: "set" } }, ACCEPT]]),
    [PERHAPS],
  ],
  [
    "some of the segment",
    ruleset(policyDrop, [[match(payload("ip", "saddr"), "192.168.100.12"), ACCEPT]]),
    [PERHAPS],
  ],
  ["ARP", ruleset({ family: "arp", policy: "drop" }, []), [ARP_IN]],
  [
    "ARP where it arrives",
    ruleset({ family: "netdev", hook: "ingress", dev: "eth0" }, [
      [match({ meta: { key: "protocol" } }, "arp"), DROP],
    ]),
    [ARP_IN],
  ],
  ["nothing at all", ruleset({}, []), []],
  ["the port", ruleset(policyDrop, [[match(dport, 7_473), ACCEPT]]), []],
  [
    "a range of ports",
    ruleset(policyDrop, [[match(dport, { range: [7_000, 8_000] }), ACCEPT]]),
    [],
  ],
  ["a set of ports", ruleset(policyDrop, [[match(dport, { set: [53, 7_473] }), ACCEPT]]), []],
  ["a named set", ruleset(policyDrop, [[match(dport, "@ports"), ACCEPT]]), []],
  ["the segment", ruleset(policyDrop, [[match(payload("ip", "saddr"), "@lan"), ACCEPT]]), []],
  ["the interface", ruleset(policyDrop, [[match(iifname, "eth*"), ACCEPT]]), []],
  [
    "multicast",
    ruleset(policyDrop, [[match({ meta: { key: "pkttype" } }, "multicast"), ACCEPT]]),
    [],
  ],
  [
    "the group",
    ruleset(policyDrop, [
      [match(payload("ip", "daddr"), { prefix: { addr: "224.0.0.0", len: 24 } }), ACCEPT],
    ]),
    [],
  ],
  [
    "a return to the policy that accepts",
    ruleset({}, [[{ jump: { target: "x" } }]], { x: [[{ return: null }], [DROP]] }),
    [],
  ],
  [
    "a goto, after which the policy follows",
    ruleset({}, [[{ goto: { target: "x" } }], [DROP]], { x: [[{ return: null }]] }),
    [],
  ],
  ["forwarding, which is not for this host", ruleset({ hook: "forward", policy: "drop" }, []), []],
  ["IPv6 alone", ruleset({ family: "ip6", policy: "drop" }, []), []],
  ["a limit on what is dropped", ruleset({}, [[match(dport, 7_473), { limit: {} }, DROP]]), []],
  [
    "another interface's ingress",
    ruleset({ family: "netdev", hook: "ingress", dev: "eth9", policy: "drop" }, []),
    [],
  ],
];

for (const [name, rules, found] of NFT) {
  const verb = found.length === 0 ? "passes" : "finds";
  test(`checkFirewall() ${verb} ${name} in a ruleset of nftables`, () => {
    assert.deepEqual(firewallFindings(rules), found);
  });
}

function filter(policy: string, ...rules: readonly string[]): string {
  const heads = [`:INPUT ${policy} [0:0]`, ":OUTPUT ACCEPT [0:0]", ":OWN - [0:0]"];
  return `# Generated\n*filter\n${[...heads, ...rules].join("\n")}\nCOMMIT\n`;
}
const LOCALNET =
  "-A INPUT ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment " +
  '"block incoming localnet" -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP';

const IPTABLES: readonly (readonly [name: string, text: string, found: readonly string[]])[] = [
  ["a policy that drops", filter("DROP"), [BEACONS_IN]],
  [
    "what is established alone",
    filter("DROP", "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"),
    [BEACONS_IN],
  ],
  [
    "a REJECT at the end",
    filter("ACCEPT", "-A INPUT -i lo -j ACCEPT", "-A INPUT -j REJECT"),
    [BEACONS_IN],
  ],
  [
    "a chain of its own",
    filter("ACCEPT", "-A INPUT -j OWN", "-A OWN -p udp -j DROP"),
    [BEACONS_IN],
  ],
  [
    "a set, which cannot be looked into",
    filter("DROP", "-A INPUT -m set --match-set peers src -j ACCEPT"),
    [PERHAPS],
  ],
  ["raw", "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p udp -j DROP\nCOMMIT\n", [BEACONS_IN]],
  ["nothing at all", "", []],
  ["the port", filter("DROP", "-A INPUT -p udp -m udp --dport 7473 -j ACCEPT"), []],
  ["ports", filter("DROP", "-A INPUT -p udp -m multiport --dports 53,7000:8000 -j ACCEPT"), []],
  ["the segment", filter("DROP", "-A INPUT -s 192.168.100.0/255.255.255.0 -j ACCEPT"), []],
  ["the interface", filter("DROP", "[3:4] -A INPUT -i eth+ -j ACCEPT"), []],
  ["not another one", filter("DROP", "-A INPUT ! -i eth1 -j ACCEPT"), []],
  ["what the kubelet adds", filter("ACCEPT", LOCALNET), []],
  ["a log, which decides nothing", filter("ACCEPT", '-A INPUT -j LOG --log-prefix "a b"'), []],
  ["nat", "*nat\n:PREROUTING DROP [0:0]\nCOMMIT\n", []],
];

for (const [name, text, found] of IPTABLES) {
  const verb = found.length === 0 ? "passes" : "finds";
  test(`checkFirewall() ${verb} ${name} in the tables of iptables`, () => {
    assert.deepEqual(firewallFindings({ nftables: [] }, text), found);
  });
}

test("checkFirewall() tells once of what nftables and iptables both show", () => {
  const shown = ruleset({ family: "ip", policy: "drop" }, []);
  const nftables = shown.nftables.map((entry) =>
    "chain" in entry ? { chain: { ...entry.chain, name: "INPUT" } } : entry,
  );
  const allowed = filter("DROP", "-A INPUT -m set --match-set a src -j ACCEPT");
  assert.deepEqual(firewallFindings({ nftables }, allowed), [PERHAPS]);
});

test("checkFirewall() names the rule, and how to let beacons in", () => {
  const nft = known(ruleset(policyDrop, []));
  const [finding] = diagnose({ ...HEALTHY, nft }).findings;
  assert.match(finding?.cause ?? "", /the policy of chain inet filter base is "drop"/);
  assert.match(
    finding?.fix ?? "",
    /^nft insert rule inet filter base iifname "eth0" udp dport 7473 accept/,
  );
});

test("checkFirewall() says how to let beacons in where iptables drops them", () => {
  const [finding] = diagnose({ ...HEALTHY, iptables: known(filter("DROP")) }).findings;
  assert.match(finding?.fix ?? "", /^iptables -t filter -I INPUT -i eth0 -p udp --dport 7473 -j/);
});

test("checkFirewall() looks at what there is of the two programs", () => {
  const nft = unknown("nft is not installed");
  const { findings } = diagnose({ ...HEALTHY, nft, iptables: known(filter("DROP")) });
  assert.equal(findings.length, 1);
});

test("checkFirewall() says which interfaces it cannot look at", () => {
  const six = nic({ name: "eth1", addresses: [address("2001:db8::b/64")] });
  const pools = unknown("not asked");
  const verdictOf = (...interfaces: readonly InterfaceFact[]) =>
    checkFirewall({ ...HEALTHY, pools, interfaces: known(interfaces) });
  const why = "eth1 without IPv4: what becomes of beacons over IPv6 is not looked at";
  assert.deepEqual(verdictOf(six), skipped(why));
  const note = `beacons (UDP 7473) and ARP pass the firewall; ${why}`;
  assert.deepEqual(verdictOf(nic(), six), ok(note));
});
