// Tests of the verdicts of lbctl arp who and probe, as exit statuses, and of watch --reconnect.

import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import type { WireView } from "../../../src/api/types.ts";
import { childProcess, finished } from "../../support/child-process.ts";
import { serveApi, WIRE } from "../../support/fake-api-source.ts";

const N2 = { mac: "02:00:00:00:64:0c", node: "n2" };
const STRANGER = { mac: "02:00:00:00:64:99", node: null };

const ROWS: readonly (readonly [string, Partial<WireView>, who: number, probe: number])[] = [
  ["its owner alone answers", { answers: [N2] }, 0, 1],
  ["the owner and a stranger answer", { answers: [N2, STRANGER] }, 1, 1],
  ["a stranger answers", { answers: [STRANGER] }, 1, 1],
  ["nobody answers for what somebody owns", { answers: [] }, 1, 0],
  ["nobody answers for what nobody owns", { owner: null, answers: [] }, 1, 0],
  ["this node owns it, alone", { ownedHere: true, answers: [] }, 0, 1],
  ["this node owns it, and a stranger answers", { ownedHere: true, answers: [STRANGER] }, 1, 1],
];

for (const [name, changes, who, probe] of ROWS) {
  test(`lbctl arp who and probe when ${name}: ${who} and ${probe}`, async (t) => {
    const { path, source } = await serveApi(t);
    source.wire = { ok: true, value: { ...WIRE, ...changes } };
    const statuses = [];
    for (const command of ["who", "probe"]) {
      const argv = ["--socket", path, "arp", command, "10.0.0.10"];
      statuses.push((await finished(childProcess(t, "src/cli/main.ts", argv, { env: {} }))).status);
    }
    assert.deepEqual(statuses, [who, probe]);
  });
}

test("lbctl watch --reconnect goes on with the next daemon", async (t) => {
  const first = await serveApi(t);
  const argv = ["--socket", first.path, "watch", "--reconnect"];
  const child = childProcess(t, "src/cli/main.ts", argv, { env: {} });
  const untilFollowed = async ({ source }: typeof first): Promise<void> => {
    while (source.followers.size === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  await untilFollowed(first);
  assert.ok(child.stderr !== null && child.stdout !== null);
  const said = once(child.stderr, "data");
  await first.server.close();
  assert.match(String((await said)[0]), /trying again/);
  const next = await serveApi(t, { path: first.path });
  await untilFollowed(next);
  const shown = once(child.stdout, "data");
  for (const tell of next.source.followers) tell({ type: "dropped", count: 2 });
  assert.match(String((await shown)[0]), /^2 events are missing here/);
  child.kill();
});
