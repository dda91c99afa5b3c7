// Tests of what lbctl top makes of two looks at the daemon, and of its options.

import assert from "node:assert/strict";
import { test } from "node:test";
import { topText } from "../../../src/cli/commands/top.ts";
import { bootMs } from "../../../src/core/time.ts";
import { childProcess, finished } from "../../support/child-process.ts";
import { NODES, STATUS, serveApi } from "../../support/fake-api-source.ts";

const sample = (at: number, changes: object, counters: Record<string, number>) => ({
  at: bootMs(at),
  status: { ...STATUS, counters, ...changes },
  nodes: NODES,
});

test("topText() shows what was done a second, CPU, memory, and what changed of each node", () => {
  const before = sample(0, {}, { "arp-answered": 10, "arp-ignored": 4, "beacon-sent": 100 });
  const counters = {
    ...{ "arp-answered": 30, "ndp-answered": 10, "arp-ignored": 8, "arp-sent": 1_000 },
    ...{ "beacon-sent": 140, "beacon-received": 60, "beacon-drop-hmac": 2, claims: 4 },
  };
  const process = { cpuSeconds: 12.6, rssBytes: 62_400_000 };
  const now = {
    ...sample(2_000, { process }, counters),
    nodes: NODES.map((node) => ({ ...node, owned: node.node === "n1" ? 3 : 0 })),
  };
  const expected = `n1: ok, 1 of 3 addresses here
cpu 5.0 % of a core, 62 MB
a second: 15.0 answers, 17.0 frames looked at, 2.0 claims
beacons:  20.0 sent, 30.0 received, 1.0 dropped

NODE  DAEMON  JITTER  OWNED  CHANGE
n1    live    0.4 ms  3      +2
n2    -       -       0      -
`;
  assert.equal(topText(before, now), expected);
});

test("topText() shows no negative rates when the daemon has started anew", () => {
  const text = topText(
    sample(0, {}, { "arp-answered": 1_000 }),
    sample(1_000, {}, { "arp-answered": 5 }),
  );
  assert.match(text, / 0\.0 answers/);
});

for (const times of ["0", "-1", "many", "1.5"]) {
  test(`lbctl top -n ${times} is a wrong command line`, async (t) => {
    const { path } = await serveApi(t);
    const argv = ["--socket", path, "top", "-n", times];
    const { status, stderr } = await finished(
      childProcess(t, "src/cli/main.ts", argv, { env: {} }),
    );
    assert.equal(status, 2);
    assert.match(stderr, /Expected how often, 1 or more/);
  });
}

test("lbctl top -o json prints one object for each look", async (t) => {
  const { path } = await serveApi(t);
  const argv = ["--socket", path, "-o", "json", "top", "-n", "2"];
  const { status, stdout } = await finished(childProcess(t, "src/cli/main.ts", argv, { env: {} }));
  assert.equal(status, 0);
  const lines = stdout.trimEnd().split("\n");
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).now.status.node),
    ["n1", "n1"],
  );
});
