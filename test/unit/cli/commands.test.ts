// Tests of what each command of lbctl asks the daemon, and what it shows of the answer.

import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { test } from "node:test";
import type { ExplainStep, FamilyCounts, StatusView } from "../../../src/api/types.ts";
import { COUNT_MAX, SCHEMA } from "../../../src/api/types.ts";
import { explainText } from "../../../src/cli/commands/explain.ts";
import { countsText } from "../../../src/cli/commands/pools.ts";
import { statusText } from "../../../src/cli/commands/status.ts";
import { wallMs } from "../../../src/core/time.ts";
import { VERSION } from "../../../src/core/version.ts";
import { childProcess, finished } from "../../support/child-process.ts";
import { EXPLAINED, STATUS, serveApi } from "../../support/fake-api-source.ts";

interface Ran {
  readonly shown: string;
  readonly status: number | null;
  readonly asked: readonly string[];
}

/** Runs lbctl against the made-up daemon. */
async function run(t: TestContext, ...args: readonly string[]): Promise<Ran> {
  const { path, source } = await serveApi(t);
  const child = childProcess(t, "src/cli/main.ts", ["--socket", path, ...args], { env: {} });
  const { status, stdout, stderr } = await finished(child);
  assert.equal(stderr, "");
  const asked = source.asked.filter((question) => question !== "refresh");
  return { shown: stdout, status, asked };
}

interface Row {
  readonly args: readonly string[];
  readonly asked: string;
  readonly shown: string;
}

const NOT_ADVERTISED = "nothing: no L2Advertisement, no BGPAdvertisement";

const ROWS: readonly Row[] = [
  {
    args: ["status"],
    asked: "status",
    shown: `health    ok
node      n1, lbd ${VERSION}, up 2 h
peers     2 of 2 other nodes heard
api       https://10.0.0.1:6443, reachable, last heard 3 s ago
leader    n1 (this node)
config    valid: 1 pool, 2 advertisements
vips      3 in the cluster, 1 owned here, 0 without an owner
`,
  },
  {
    args: ["vips"],
    asked: "vips",
    shown: `ADDRESS    OWNER   EPOCH  POOL  SERVICES           HERE    INTERFACES  ANSWERED
10.0.0.10  n1      4      lan   shop/api,shop/web  owning  eth0,eth1   7
10.0.0.11  nobody  0      lan   shop/db            idle    -           -
`,
  },
  {
    args: ["services"],
    asked: "services",
    shown: `SERVICE   ADDRESSES               POOL  OWNERS     REQUESTED  PENDING
shop/db   pending                 -     -          10.0.0.99  no available IPs
shop/web  10.0.0.10,2001:db8::10  lan   n1,nobody  -          -
`,
  },
  {
    args: ["nodes"],
    asked: "nodes",
    shown: `NODE  MEMBER      DAEMON  OWNED  EXCLUDED
n1    alive       live    1      -
n2    never-seen  -       0      the Node is not Ready
`,
  },
  {
    args: ["history"],
    asked: "history all 100",
    shown: `AT                        ADDRESS    CHANGE    NODE  EPOCH  CAUSE       DETAIL
2026-01-02T03:04:05.006Z  10.0.0.10  gained    n1    4      owner-down  from n2
2026-01-02T03:04:04.000Z  10.0.0.10  conflict  -     3      counted     -
`,
  },
  {
    args: ["explain", "shop/web"],
    asked: "explain shop/web",
    shown: `shop/web: has 10.0.0.10 (node n1 answers for it)
  ok  service       shop/web asks for any address, and has 10.0.0.10
  no  node          n2: not eligible, no interface with carrier
  ?   wire          nobody has asked since this node took it
`,
  },
];

for (const { args, asked, shown } of ROWS) {
  test(`lbctl ${args.join(" ")} shows the answer as text`, async (t) => {
    assert.deepEqual(await run(t, ...args), { shown, status: 0, asked: [asked] });
  });
}

test("lbctl pools shows each pool in a line, and says what advertises it", async (t) => {
  const { shown, asked } = await run(t, "pools");
  assert.deepEqual(asked, ["pools"]);
  const cells = shown.split("\n").map((line) => line.split(/ {2,}/));
  assert.deepEqual(cells, [
    ["POOL", "ADDRESSES", "AUTO-ASSIGN", "ASSIGNED", "AVAILABLE", "WITHHELD", "ADVERTISED BY"],
    [
      "lan",
      "10.0.0.10-10.0.0.20,2001:db8::10-2001:db8::20",
      "yes",
      "2 IPv4, 1 IPv6",
      "8 IPv4, 16 IPv6",
      "1",
      "all,rack",
    ],
    ["spare", "10.1.0.0-10.1.0.255", "no", "0", "254", "0", NOT_ADVERTISED],
    [""],
  ]);
});

const COUNTS: readonly (readonly [name: string, counts: FamilyCounts, text: string])[] = [
  ["more IPv6 than can be counted", { ipv4: null, ipv6: COUNT_MAX }, "over 9e15"],
  ["both, one of them beyond counting", { ipv4: 6, ipv6: COUNT_MAX }, "6 IPv4, over 9e15 IPv6"],
  ["the last number that is counted", { ipv4: null, ipv6: COUNT_MAX - 1 }, "9007199254740990"],
  ["IPv4 that is used up", { ipv4: 0, ipv6: 4 }, "0 IPv4, 4 IPv6"],
  ["IPv4 alone", { ipv4: 254, ipv6: null }, "254"],
  ["no family", { ipv4: null, ipv6: null }, ""],
];

for (const [name, counts, expected] of COUNTS) {
  test(`countsText() of ${name}`, () => {
    assert.equal(countsText(counts), expected);
  });
}

const FRAMES_SHOWN: readonly (readonly [args: readonly string[], rows: number])[] = [
  [[], 1],
  [["10.0.0.10"], 1],
  [["02:00:00:00:64:02"], 1],
  [["answered"], 1],
  [["10.0.0.1"], 0],
];

for (const [args, rows] of FRAMES_SHOWN) {
  test(`lbctl arp watch ${args.join()} shows ${rows} frames`, async (t) => {
    const { shown, asked } = await run(t, "arp", "watch", ...args);
    const [head, ...frames] = shown.trimEnd().split("\n");
    assert.match(head ?? "", rows === 0 ? /^none$/ : /^AT +INTERFACE +OUTCOME +FRAME$/);
    assert.equal(frames.length, rows);
    for (const frame of frames) {
      assert.match(frame, /eth0 +answered +who has 10\.0\.0\.10\? asks 10\.0\.0\.2 at/);
    }
    assert.deepEqual(asked, ["frames"]);
  });
}

const HISTORY_ARGUMENTS: readonly (readonly [args: readonly string[], asked: string])[] = [
  [["history", "10.0.0.10"], "history 10.0.0.10 100"],
  [["history", "-n", "5"], "history all 5"],
  [["history", "10.0.0.10", "--limit", "10000"], "history 10.0.0.10 10000"],
  [["history", "--node", "n2"], "history all 100 of n2"],
  [
    ["history", "--since", "2026-01-02T03:04:05Z"],
    "history all 100 since 2026-01-02T03:04:05.000Z",
  ],
];

for (const [args, asked] of HISTORY_ARGUMENTS) {
  test(`lbctl ${args.join(" ")} asks for "${asked}"`, async (t) => {
    assert.deepEqual((await run(t, ...args)).asked, [asked]);
  });
}

const NOW = wallMs(Date.parse("2026-11-27T10:00:00Z"));
const since = "2026-11-27T09:55:00.000Z";

function statusWith(changes: Partial<StatusView>): string {
  return statusText({ schema: SCHEMA, item: { ...STATUS, ...changes } }, NOW);
}

test("statusText() puts what is wrong first, each with its cause and what to do", () => {
  const text = statusWith({
    health: "failing",
    findings: [
      { health: "failing", what: "Nobody answers", cause: "no node", next: "lbctl explain", since },
      { health: "degraded", what: "The disk is full", cause: "ENOSPC", next: "df -h", since },
      { health: "ok", what: "Somebody is there", cause: "a beacon", next: "nothing", since },
    ],
  });
  const expected = `health    failing
  failing: Nobody answers (for 5 min)
    cause: no node
    next:  lbctl explain
  degraded: The disk is full (for 5 min)
    cause: ENOSPC
    next:  df -h
  note: Somebody is there (for 5 min)
    cause: a beacon
    next:  nothing
node      n1`;
  assert.equal(text.slice(0, expected.length), expected);
});

const { server } = STATUS.api;
const STATUS_LINES: readonly (readonly [name: string, Partial<StatusView>, line: string])[] = [
  [
    "an API that was never reached",
    { api: { server, reachable: false, lastContactSecondsAgo: null } },
    `api       ${server}, NOT reachable, never reached since the start`,
  ],
  [
    "an API that was reached",
    { api: { server, reachable: false, lastContactSecondsAgo: 600 } },
    `api       ${server}, NOT reachable, last heard 10 min ago`,
  ],
  ["no leader", { leader: { node: null, isThisNode: false } }, "leader    none"],
  ["another leader", { leader: { node: "n2", isThisNode: false } }, "leader    n2"],
  [
    "an invalid configuration",
    { config: { valid: false, pools: 0, advertisements: 1, problems: [] } },
    "config    INVALID, the last valid one is in use: 0 pools, 1 advertisement",
  ],
];

for (const [name, changes, line] of STATUS_LINES) {
  test(`statusText() shows ${name}`, () => {
    assert.ok(statusWith(changes).split("\n").includes(line), statusWith(changes));
  });
}

const MARKS: readonly (readonly [ExplainStep["state"], string])[] = [
  ["ok", "ok "],
  ["no", "no "],
  ["problem", "BAD"],
  ["unknown", "?  "],
];

for (const [state, mark] of MARKS) {
  test(`explainText() marks a step that is "${state}"`, () => {
    const step = { step: "advertisement", state, text: "x" } as const;
    const item = { ...EXPLAINED, steps: [step] };
    const [, line] = explainText({ schema: SCHEMA, item }).split("\n");
    assert.equal(line, `  ${mark} advertisement x`);
  });
}
