// Metrics of real daemons as a Prometheus reads them: MetalLB's names on the node where they
// belong, and gone when what they are about is gone.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { LabDaemon } from "../lab/daemon.ts";
import { eventually } from "../lab/eventually.ts";
import { clusterForSuite, type DaemonCluster } from "./support/daemon-cluster.ts";

const NODES = ["node1", "node2"] as const;
const IN_USE = 'metallb_allocator_addresses_in_use_total{pool="lan"}';
const TOTAL = 'metallb_allocator_addresses_total{pool="lan"}';
const STALE = "metallb_k8s_client_config_stale_bool";

/** By series, as `name{labels}`. */
type Series = ReadonlyMap<string, number>;

async function scrape(daemon: LabDaemon): Promise<Series> {
  const argv = ["curl", "-sS", "--fail", "--max-time", "2", "http://127.0.0.1:7472/metrics"];
  const { code, stdout, stderr } = await daemon.node.tryRun(argv);
  assert.equal(code, 0, stderr);
  const lines = stdout.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const split = line.lastIndexOf(" ");
      return [line.slice(0, split), Number(line.slice(split + 1))];
    }),
  );
}

/** Until the series of the daemon are as `accepts` wants them. */
function untilSeries(daemon: LabDaemon, what: string, accepts: (series: Series) => boolean) {
  return eventually(`${what} on ${daemon.node.name}`, () => scrape(daemon), {
    timeoutMs: 15_000,
    intervalMs: 200,
    until: accepts,
  });
}

/** The node that leads, and its series. */
async function leader(c: DaemonCluster): Promise<{ name: string; series: Series }> {
  const find = async () => {
    const all = NODES.map(async (name) => ({ name, series: await scrape(c.daemon(name)) }));
    return (await Promise.all(all)).filter(({ series }) => series.get("lbd_leader") === 1);
  };
  const [only] = await eventually("one leader that has read the pool", find, {
    timeoutMs: 20_000,
    until: (leaders) => leaders.length === 1 && leaders[0]?.series.has(TOTAL) === true,
  });
  assert.ok(only !== undefined);
  return only;
}

function names(series: Series, prefix: string): string[] {
  return [...series.keys()].filter((name) => name.startsWith(prefix));
}

function pool(c: DaemonCluster, name: string, addresses: string): Promise<void> {
  const metadata = { name, namespace: "metallb-system" };
  const spec = { addresses: [addresses] };
  const about = { apiVersion: "metallb.io/v1beta1", kind: "IPAddressPool" };
  return c.controlPlane.apply(JSON.stringify({ ...about, metadata, spec }));
}

describe("metrics", () => {
  const cluster = clusterForSuite({ nodes: 2 });
  let owner = "";
  let address = "";

  test("a pool is on the leader alone, unused, and the configuration is loaded", async () => {
    const c = cluster();
    const { name, series } = await leader(c);
    assert.deepEqual([series.get(TOTAL), series.get(IN_USE)], [10, 0]);
    const others = NODES.filter((node) => node !== name);
    for (const node of others) {
      assert.deepEqual(names(await scrape(c.daemon(node)), "metallb_allocator_"), []);
    }
    for (const node of NODES) {
      const state = await scrape(c.daemon(node));
      assert.equal(state.get("metallb_k8s_client_config_loaded_bool"), 1);
      assert.equal(state.get(STALE), 0);
      assert.ok((state.get("metallb_k8s_client_updates_total") ?? 0) > 0);
      assert.deepEqual(names(state, "metallb_speaker_"), []);
    }
  });

  test("a Service takes one address of the pool, which its owner alone announces", async () => {
    const c = cluster();
    await c.createService("web");
    address = await c.addressOf("web");
    owner = await c.untilAnswering(address);
    const { name } = await leader(c);
    await untilSeries(c.daemon(name), "one address in use", (now) => now.get(IN_USE) === 1);
    const labels = `service="default/web",protocol="layer2",node="${owner}",ip="${address}"`;
    const announced = `metallb_speaker_announced{${labels}}`;
    const series = await scrape(c.daemon(owner));
    assert.deepEqual(names(series, "metallb_speaker_"), [announced]);
    assert.equal(series.get(announced), 1);
    const elsewhere = await scrape(c.other(owner));
    assert.deepEqual(names(elsewhere, "metallb_speaker_"), []);
    assert.deepEqual(names(elsewhere, "metallb_layer2_"), []);
  });

  test("the owner has counted the request that it answered, and what it announced", async () => {
    const count = (what: string) => `metallb_layer2_${what}{ip="${address}"}`;
    const kinds = ["requests_received", "responses_sent", "gratuitous_sent"].map(count);
    // A report of the responder may have been on its way already when it was asked.
    const series = await untilSeries(cluster().daemon(owner), "all counted", (now) =>
      kinds.every((kind) => (now.get(kind) ?? 0) >= 1),
    );
    assert.ok((series.get('lbd_owner_changes_total{change="gained",reason="unheld"}') ?? 0) >= 1);
    assert.ok((series.get("lbd_beacons_sent_total") ?? 0) > 0);
    assert.ok((series.get('lbd_lease_writes_total{outcome="written"}') ?? 0) > 0);
  });

  test("a configuration that is not valid is stale until it is repaired", async () => {
    const c = cluster();
    await pool(c, "bad", "192.168.100.55-192.168.100.70");
    for (const node of NODES) {
      const state = await untilSeries(c.daemon(node), "stale", (now) => now.get(STALE) === 1);
      assert.equal(state.get("metallb_k8s_client_config_loaded_bool"), 1);
      assert.ok((state.get("metallb_k8s_client_update_errors_total") ?? 0) > 0);
      assert.ok((state.get('lbd_findings{kind="configuration"}') ?? 0) > 0);
    }
    await pool(c, "bad", "192.168.100.70-192.168.100.71");
    for (const node of NODES) {
      await untilSeries(c.daemon(node), "current", (now) => now.get(STALE) === 0);
    }
  });

  test("what was said of a Service and a pool is gone with them", async () => {
    const c = cluster();
    await c.deleteService("web");
    await untilSeries(
      c.daemon(owner),
      "no address",
      (now) => names(now, "metallb_speaker_").length === 0,
    );
    const { name } = await leader(c);
    const series = await untilSeries(
      c.daemon(name),
      "no address in use",
      (now) => now.get(IN_USE) === 0,
    );
    assert.equal(names(series, 'metallb_allocator_addresses_total{pool="bad"}').length, 1);
    await c.controlPlane.kubectl(["delete", "ipaddresspool", "bad", "-n", "metallb-system"]);
    const isGone = (now: Series) => names(now, "metallb_allocator_").length === 6;
    await untilSeries(c.daemon(name), "one pool", isGone);
    assert.deepEqual(names(await scrape(c.daemon(owner)), "metallb_layer2_"), []);
  });

  test("an address that cannot be bound is named by lbctl status, and stops nothing", async () => {
    const c = cluster();
    await c.daemon("node2").kill("SIGTERM");
    const daemon = await c.start(c.node("node2"), {
      config: { metrics: { address: "192.0.2.1" } },
    });
    const status = await c.untilStatus(daemon, /Cannot listen on 192\.0\.2\.1 port 7472/);
    assert.match(status, /Prometheus cannot read the metrics of this node/);
    await c.createService("again");
    await c.untilAnswering(await c.addressOf("again"));
  });
});
