// Routes of Services at a real router: which nodes announce them, to whom, and how.

import assert from "node:assert/strict";
import { afterEach, before, describe, test } from "node:test";
import type { BgpRouteView, ServiceView } from "../../src/api/types.ts";
import { endpointOn } from "../cluster/support/daemon-cluster.ts";
import { eventually } from "../lab/eventually.ts";
import {
  ADVERTISED,
  bgpClusterForSuite,
  FIRST,
  peerManifest,
  ROUTER_ASN,
  routerOf,
  untilRoutes,
} from "./support/bgp-cluster.ts";

type Spec = Readonly<Record<string, unknown>>;

const PREFIX = `${FIRST}/32`;
const ROUTED = { "metallb.io/address-pool": "routed" };

describe("announcing by BGP", () => {
  const bgp = bgpClusterForSuite({ dualStack: true });
  let hops: string[];
  let hops6: string[];

  before(async () => {
    const { cluster } = bgp();
    hops = cluster.lab.nodes.map((node) => node.address());
    hops6 = cluster.lab.nodes.map((node) => node.address6());
    const router = routerOf(cluster.lab);
    await apply(peerManifest("router", { peerAddress: router.address() }));
    await apply(peerManifest("router6", { peerAddress: router.address6() }));
    await cluster.createService("web", {}, ROUTED);
  });

  afterEach(async () => {
    await apply(ADVERTISED);
  });

  const apply = (manifest: string) => bgp().cluster.controlPlane.apply(manifest);
  const kubectl = (...argv: readonly string[]) => bgp().cluster.controlPlane.kubectl([...argv]);
  const announced = (routes: Readonly<Record<string, readonly string[]>>) =>
    untilRoutes(bgp().router, routes);
  const advertise = (spec: Spec, name = "routed") =>
    apply(
      JSON.stringify({
        ...{ apiVersion: "metallb.io/v1beta1", kind: "BGPAdvertisement" },
        ...{ metadata: { name, namespace: "metallb-system" }, spec },
      }),
    );
  const route = (): Promise<string> => bgp().router.ask([`show bgp ipv4 unicast ${PREFIX}`]);
  const label = (node: string, text: string) => kubectl("label", "node", node, text, "--overwrite");

  test("a Service is announced from every node: the router has a way to each", async () => {
    await announced({ [PREFIX]: hops });
    const { lab } = bgp().cluster;
    const ways = () => routerOf(lab).run(["ip", "route", "show", PREFIX.replace("/32", "")]);
    const text = await eventually("three ways", ways, {
      until: (shown) => hops.every((hop) => shown.includes(`via ${hop} `)),
    });
    assert.match(text, /proto bgp/);
  });

  test("lbctl, Events, metrics and ServiceBGPStatus tell of it", async () => {
    const { cluster } = bgp();
    const daemon = cluster.daemon("node1");
    const [told] = await daemon.items<BgpRouteView>("/v1/bgp/routes");
    assert.deepEqual(told, {
      prefix: PREFIX,
      advertisements: ["routed"],
      services: ["default/web"],
      peers: ["router", "router6"].map((peer) => ({ peer, communities: [], localPref: 0 })),
    });
    const explained = (await daemon.lbctl(["explain", "web"])).stdout;
    assert.match(explained, /^default\/web: has 192\.168\.200\.1 \(announced by BGP\)$/m);
    assert.match(
      explained,
      /ok {2}bgp .*node1: announced to "router", whose session is Established/,
    );
    assert.match((await daemon.lbctl(["vips"])).stdout, /192\.168\.200\.1 +by BGP/);
    assert.doesNotMatch(await cluster.status(daemon), /failing|degraded/);
    const notes = async () =>
      (await cluster.events("web")).filter(({ reason }) => reason === "nodeAssigned");
    await eventually("Events of all nodes", notes, { until: (all) => all.length === 3 });
    assert.match(
      (await notes())[0]?.note ?? "",
      /announcing from node "node\d" with protocol "bgp"/,
    );
    const metrics = await cluster
      .node("node1")
      .run(["curl", "-s", "http://127.0.0.1:7472/metrics"]);
    assert.match(metrics, /metallb_bgp_session_up\{peer="192\.168\.100\.3:179",vrf=""\} 1/);
    assert.match(metrics, /metallb_speaker_announced\{service="default\/web",protocol="bgp"/);
    const columns = "jsonpath={range .items[*]}{.status.node} {.status.peers}{'\\n'}{end}";
    const objects = () =>
      kubectl("get", "servicebgpstatuses", "-n", "metallb-system", "-o", columns);
    await eventually("a ServiceBGPStatus of each node", objects, {
      timeoutMs: 15_000,
      until: (text) =>
        text.trim().split("\n").sort().join() ===
        ["node1", "node2", "node3"].map((node) => `${node} ["router","router6"]`).join(),
    });
  });

  test("dual stack: IPv4 over the one session, IPv6 over the other", async () => {
    const { cluster } = bgp();
    await cluster.createService("both", { ipFamilyPolicy: "RequireDualStack" }, ROUTED);
    const [v4 = "", v6 = ""] = await eventually(
      "its addresses",
      async () => {
        const services = await cluster.daemon("node1").items<ServiceView>("/v1/services");
        return services.find(({ service }) => service === "default/both")?.addresses ?? [];
      },
      { until: (all) => all.length === 2 },
    );
    await announced({ [PREFIX]: hops, [`${v4}/32`]: hops, [`${v6}/128`]: hops6 });
    await cluster.deleteService("both");
    await announced({ [PREFIX]: hops });
  });

  test("policy Local: from nodes with a ready endpoint, else from those that end", async () => {
    const { cluster } = bgp();
    const local = { externalTrafficPolicy: "Local", loadBalancerIP: "192.168.200.9" };
    const endpoints = ["node1", "node2"].map((node) => endpointOn(node));
    await cluster.createService("local", local, {}, endpoints);
    const of = (...nodes: readonly number[]) => ({
      [PREFIX]: hops,
      ...(nodes.length === 0
        ? {}
        : { "192.168.200.9/32": nodes.map((index) => hops[index - 1] ?? "") }),
    });
    await announced(of(1, 2));
    const ending = { ready: false, serving: true, terminating: true };
    await cluster.setEndpoints("local", [endpointOn("node1"), endpointOn("node2", ending)]);
    await announced(of(1));
    await cluster.setEndpoints("local", [endpointOn("node2", ending)]);
    await announced(of(2));
    await cluster.setEndpoints("local", []);
    await announced(of());
    await cluster.deleteService("local");
  });

  test("a Service without endpoints is announced by nobody", async () => {
    const { cluster } = bgp();
    await cluster.setEndpoints("web", []);
    await announced({});
    await cluster.setEndpoints("web", [endpointOn("node1")]);
    await announced({ [PREFIX]: hops });
  });

  test("a node with the exclude label, or NetworkUnavailable, announces nothing", async () => {
    const exclude = "node.kubernetes.io/exclude-from-external-load-balancers";
    await label("node1", `${exclude}=`);
    await announced({ [PREFIX]: hops.slice(1) });
    await label("node1", `${exclude}-`);
    await announced({ [PREFIX]: hops });
    const condition = (status: string) =>
      kubectl(
        ...["patch", "node", "node2", "--subresource=status", "-p"],
        JSON.stringify({ status: { conditions: [{ type: "NetworkUnavailable", status }] } }),
      );
    await condition("True");
    await announced({ [PREFIX]: [hops[0] ?? "", hops[2] ?? ""] });
    await condition("False");
    await announced({ [PREFIX]: hops });
  });

  test("nodeSelectors of the advertisement, and of the peer, choose the nodes", async () => {
    const nodeSelectors = [{ matchLabels: { rack: "a" } }];
    await advertise({ ipAddressPools: ["routed"], nodeSelectors });
    await announced({});
    await label("node2", "rack=a");
    await announced({ [PREFIX]: [hops[1] ?? ""] });
    await apply(ADVERTISED);
    await announced({ [PREFIX]: hops });
    const peerAddress = routerOf(bgp().cluster.lab).address();
    await apply(peerManifest("router", { peerAddress, nodeSelectors }));
    await announced({ [PREFIX]: [hops[1] ?? ""] });
    await label("node2", "rack-");
    await announced({});
    await apply(peerManifest("router", { peerAddress }));
    await announced({ [PREFIX]: hops });
  });

  test("serviceSelectors, pools and peers choose what is announced, and to whom", async () => {
    await advertise({ serviceSelectors: [{ matchLabels: { expose: "yes" } }] });
    await announced({});
    await kubectl("label", "service", "web", "expose=yes");
    await announced({ [PREFIX]: hops });
    await advertise({ ipAddressPools: ["lan"] });
    await announced({});
    await advertise({ ipAddressPoolSelectors: [{ matchLabels: { kind: "routed" } }] });
    await announced({ [PREFIX]: hops });
    await advertise({ ipAddressPools: ["routed"], peers: ["router6"] });
    await announced({});
  });

  test("communities, large ones and aliases of all advertisements are on it", async () => {
    await apply(
      JSON.stringify({
        ...{ apiVersion: "metallb.io/v1beta1", kind: "Community" },
        metadata: { name: "names", namespace: "metallb-system" },
        spec: { communities: [{ name: "stay-here", value: "65535:65281" }] },
      }),
    );
    const pool = { ipAddressPools: ["routed"] };
    await advertise({ ...pool, communities: ["64512:100", "stay-here"] });
    await advertise({ ...pool, communities: ["64512:7", "large:64512:1:2"] }, "more");
    const text = await eventually("the communities", route, {
      timeoutMs: 20_000,
      until: (shown) => shown.includes("Large Community: 64512:1:2"),
    });
    assert.match(text, /Community: 64512:7 64512:100 no-export/);
    await kubectl("delete", "bgpadvertisement", "more", "-n", "metallb-system");
    await eventually("less of them", route, {
      timeoutMs: 20_000,
      until: (shown) => !shown.includes("Large") && shown.includes("64512:100 no-export"),
    });
  });

  test("aggregation: the prefix that holds the addresses, changed meanwhile", async () => {
    const pool = { ipAddressPools: ["routed"] };
    await advertise({ ...pool, aggregationLength: 24 });
    await announced({ "192.168.200.0/24": hops });
    await advertise({ ...pool, aggregationLength: 26 });
    await announced({ "192.168.200.0/26": hops });
    await apply(ADVERTISED);
    await announced({ [PREFIX]: hops });
  });

  test("two local preferences for one route: not announced, and an Event says why", async () => {
    const { cluster } = bgp();
    const of = (localPref: number) => ({
      ...{ ipAddressPools: ["routed"], localPref },
      serviceSelectors: [{ matchLabels: { expose: "yes" } }],
    });
    await advertise(of(100));
    await announced({ [PREFIX]: hops });
    await advertise(of(200), "other");
    await announced({});
    const event = await cluster.untilEvent("web", "conflictingAdvertisements");
    assert.match(event.note, /"other" has localPref 200 and .*"routed" has localPref 100/);
    await cluster.untilStatus(cluster.daemon("node1"), /Service "default\/web" is not announced/);
    await kubectl("delete", "bgpadvertisement", "other", "-n", "metallb-system");
    await announced({ [PREFIX]: hops });
  });

  test("localPref reaches a router of the same AS", async () => {
    const { cluster, router } = bgp();
    const inside = routerOf(cluster.lab).address();
    await router.configure(`no router bgp ${ROUTER_ASN}`);
    await router.configure(
      "router bgp 64512",
      ...hops.map((hop) => `neighbor ${hop} remote-as internal`),
      ...hops.map((hop) => `neighbor ${hop} timers connect 1`),
    );
    await apply(peerManifest("router", { peerAddress: inside, peerASN: 64512 }));
    await advertise({ ipAddressPools: ["routed"], localPref: 345 });
    const text = await eventually("the route", route, {
      timeoutMs: 30_000,
      until: (shown) => shown.includes("localpref 345"),
    });
    assert.match(text, /Local/);
  });

  test("L2 and BGP together: an address is answered, and announced", async () => {
    const { cluster } = bgp();
    await apply(
      JSON.stringify({
        ...{ apiVersion: "metallb.io/v1beta1", kind: "BGPAdvertisement" },
        metadata: { name: "near", namespace: "metallb-system" },
        spec: { ipAddressPools: ["lan"] },
      }),
    );
    await cluster.createService("near", {}, { "metallb.io/address-pool": "lan" });
    const address = await cluster.addressOf("near");
    await cluster.untilAnswering(address);
    await eventually("the route", () => bgp().router.ask([`show bgp ipv4 unicast ${address}/32`]), {
      timeoutMs: 20_000,
      until: (shown) => shown.includes("(3 available"),
    });
  });
});
