// A real Prometheus reads real daemons, in the format that it asks for itself.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { eventually } from "../lab/eventually.ts";
import { provided } from "../lab/provided.ts";
import { clusterForSuite } from "./support/daemon-cluster.ts";

const RULES = join(import.meta.dirname, "../../deploy/monitoring/lbd.rules.yaml");
const PORT = 9_090;

interface Answer {
  readonly data: { readonly result: readonly { readonly value: readonly [number, string] }[] };
}

describe("Prometheus", () => {
  const cluster = clusterForSuite({ nodes: 2 });

  test("reads what a daemon tells, with the names of MetalLB, and the rules", async () => {
    const c = cluster();
    await c.createService("web");
    const owner = await c.untilAnswering("192.168.100.50");
    const node = c.node(owner);
    const file = join(node.folder, "prometheus.yaml");
    const job = { job_name: "lbd", static_configs: [{ targets: ["127.0.0.1:7472"] }] };
    const config = {
      global: { scrape_interval: "1s", evaluation_interval: "1s" },
      rule_files: [RULES],
      scrape_configs: [job],
    };
    writeFileSync(file, JSON.stringify(config));
    const program = join(await provided("provide-prometheus.sh"), "prometheus");
    const storage = `--storage.tsdb.path=${join(node.folder, "tsdb")}`;
    const listen = `--web.listen-address=127.0.0.1:${PORT}`;
    node.spawn("prometheus", [program, `--config.file=${file}`, storage, listen]);
    const query = async (expr: string): Promise<string[]> => {
      const url = `http://127.0.0.1:${PORT}/api/v1/query`;
      const argv = ["curl", "-sS", "--fail", "-G", url, "--data-urlencode", `query=${expr}`];
      const { data } = JSON.parse(await node.run(argv)) as Answer;
      return data.result.map(({ value: [, value] }) => value);
    };
    const isThere = (values: readonly string[]) => values.length > 0;
    const until = (expr: string) =>
      eventually(expr, () => query(expr), { timeoutMs: 20_000, until: isThere });
    assert.deepEqual(await until('up{job="lbd"} == 1'), ["1"]);
    // As OpenMetrics, and MetalLB's under their own names.
    await until('metallb_layer2_responses_sent{ip="192.168.100.50"}');
    await until("lbd_beacons_sent_total > 0");
    await until('lbd_beacon_lateness_seconds_bucket{le="+Inf"} > 0');
    await until("lbd_tenure_margin_seconds_count > 0");
    await until("lbd_claim_duration_seconds_count > 0");
    await until('lbd_api_request_duration_seconds_count{method="GET"} > 0');
    await until('lbd_event_loop_delay_seconds{thread="responder",quantile="1"}');
    assert.equal((await until('count({__name__=~"lbd_.*"})')).length, 1);
    const rules = await node.run(["curl", "-sS", `http://127.0.0.1:${PORT}/api/v1/rules`]);
    assert.equal(rules.match(/"type":"alerting"/g)?.length, 12);
    assert.doesNotMatch(rules, /"health":"err"/);
  });
});
