// Tests of the text that Prometheus reads: its form, and series that go with what they are about.

import assert from "node:assert/strict";
import { test } from "node:test";
import { METRICS } from "../../../src/metrics/catalog.ts";
import { Exposition } from "../../../src/metrics/exposition.ts";
import { NEW_DAEMON } from "./snapshots.ts";

const VIP = { address: "10.0.0.1", services: ["a/web"], answered: 5, announced: 12 };

test("Exposition tells help, type and value of a metric", async () => {
  const text = await new Exposition(METRICS).text({ ...NEW_DAEMON, updates: 7 });
  const help = "# HELP metallb_k8s_client_updates_total Objects of the Kubernetes API taken in";
  const type = "# TYPE metallb_k8s_client_updates_total counter";
  assert.ok(text.includes(`${help}\n${type}\nmetallb_k8s_client_updates_total 7\n`), text);
});

test("Exposition has each metric of the catalog, with samples or without", async () => {
  const text = await new Exposition(METRICS).text(NEW_DAEMON);
  const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]);
  assert.deepEqual(
    types,
    METRICS.map(({ name, type }) => [name, type]),
  );
});

test("Exposition forgets the series of a VIP that is gone, and counts from zero", async () => {
  const exposition = new Exposition(METRICS);
  const series = 'metallb_layer2_responses_sent{ip="10.0.0.1"}';
  const first = await exposition.text({ ...NEW_DAEMON, owned: [VIP] });
  assert.ok(first.includes(`${series} 5\n`));
  assert.equal((await exposition.text(NEW_DAEMON)).includes("10.0.0.1"), false);
  const again = await exposition.text({ ...NEW_DAEMON, owned: [{ ...VIP, answered: 0 }] });
  assert.ok(again.includes(`${series} 0\n`));
});

test("Exposition escapes what a label may hold", async () => {
  const changes = [{ change: "gained", cause: 'a "b"\n\\', count: 1 }];
  const text = await new Exposition(METRICS).text({ ...NEW_DAEMON, changes });
  assert.ok(text.includes('reason="a \\"b\\"\\n\\\\"} 1\n'), text);
});

test("Exposition does not mix up two that read at once", async () => {
  const exposition = new Exposition(METRICS);
  const texts = [1, 2].map((vips) => exposition.text({ ...NEW_DAEMON, vips }));
  const [first = "", second = ""] = await Promise.all(texts);
  assert.match(first, /^lbd_vips 1$/m);
  assert.match(second, /^lbd_vips 2$/m);
});

const CLAIMS = { bounds: [0.01, 0.05], counts: [3, 2, 1], sum: 0.25 };

test("Exposition tells a histogram as buckets that add up, a sum and a count", async () => {
  const text = await new Exposition(METRICS).text({ ...NEW_DAEMON, claims: CLAIMS });
  const name = "lbd_claim_duration_seconds";
  const lines = [
    `# TYPE ${name} histogram`,
    `${name}_bucket{le="0.01"} 3`,
    `${name}_bucket{le="0.05"} 5`,
    `${name}_bucket{le="+Inf"} 6`,
    `${name}_sum 0.25`,
    `${name}_count 6`,
  ];
  assert.ok(text.includes(`${lines.join("\n")}\n`), text);
});

test("Exposition as OpenMetrics keeps every series under the name it has as text", async () => {
  const snapshot = { ...NEW_DAEMON, claims: CLAIMS, owned: [VIP] };
  const text = await new Exposition(METRICS).text(snapshot);
  const open = await new Exposition(METRICS, "openmetrics").text(snapshot);
  const series = (of: string) => of.split("\n").filter((line) => line !== "" && line[0] !== "#");
  assert.deepEqual(series(open), series(text));
  assert.ok(open.endsWith("\n# EOF\n"));
  assert.match(open, /^# TYPE lbd_beacons_sent counter$/m);
  // Without `_total` it would be renamed as a counter.
  assert.match(open, /^# TYPE metallb_layer2_requests_received unknown$/m);
});
