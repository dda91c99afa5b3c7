// The lab as a cluster: real etcd, API server, kubectl and kube-proxy, and HTTP servers in pods.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Agent, request } from "undici";
import { type Backends, deployBackends } from "../lab/backends.ts";
import { ControlPlane } from "../lab/control-plane.ts";
import { eventually } from "../lab/eventually.ts";
import { labForSuite } from "../lab/for-test.ts";
import { startKubeProxies } from "../lab/kube-proxy.ts";
import type { Lab } from "../lab/lab.ts";

const ADDRESS = "192.168.100.200";
const NODE_PORT = 30080;
const SERVICE = `
apiVersion: v1
kind: Service
metadata: { name: web }
spec:
  type: LoadBalancer
  externalTrafficPolicy: Local
  ports: [{ port: 80, targetPort: 8080, nodePort: ${NODE_PORT} }]
`;

const RESOURCES = `
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: { name: lan, namespace: metallb-system }
spec: { addresses: [192.168.100.50-192.168.100.59] }
---
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: { name: quiet, namespace: metallb-system }
spec: { addresses: [10.0.0.0/24, 10.0.1.0/24], autoAssign: false, avoidBuggyIPs: true }
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: { name: lan, namespace: metallb-system }
spec:
  ipAddressPools: [lan]
  ipAddressPoolSelectors: [{ matchLabels: { tier: a } }]
  interfaces: [eth0]
  nodeSelectors: [{ matchLabels: { rack: b } }]
`;

interface Answer {
  readonly pod: string;
  readonly client: string;
}

describe("lab control plane", () => {
  let lab: Lab;
  let controlPlane: ControlPlane;
  let backends: Backends;
  const started = performance.now();

  const answerAt = async (url: string): Promise<Answer> => {
    const ask = () => lab.client.curl(url, { timeoutMs: 500 });
    const result = await eventually(`an answer at ${url}`, ask, { until: (r) => r.status === 200 });
    return JSON.parse(result.body) as Answer;
  };

  labForSuite({ nodes: 2 }, async (created) => {
    lab = created;
    const told = (what: string) =>
      console.error(
        `lab control plane: ${what} after ${Math.round(performance.now() - started)} ms`,
      );
    controlPlane = await ControlPlane.start(lab);
    told("API server ready");
    await controlPlane.registerNodes();
    await startKubeProxies(controlPlane);
    told("kube-proxy ready");
    await controlPlane.apply(SERVICE);
    const pods = [{ name: "a", node: lab.node(2) }];
    backends = await deployBackends(controlPlane, { service: "web", port: 8080, pods });
    told("backends ready");
  });

  test("lab nodes are Ready in the API", async () => {
    const printed = await controlPlane.kubectl(["get", "nodes", "--no-headers"]);
    const rows = printed.trim().split("\n");
    assert.deepEqual(
      rows.map((row) => row.split(/\s+/).slice(0, 2)),
      [
        ["node1", "Ready"],
        ["node2", "Ready"],
      ],
    );
    await controlPlane.setNodeReady("node2", "Unknown");
    assert.match(await controlPlane.kubectl(["get", "node", "node2"]), /NotReady/);
    await controlPlane.setNodeReady("node2", "True");
  });

  test("lab NodePort reaches a pod with the client's own address", async () => {
    const answer = await answerAt(`http://${lab.node(2).address()}:${NODE_PORT}/`);
    assert.deepEqual(answer, { pod: "a", client: lab.client.address() });
  });

  test("lab load balancer address is carried to the pod by the node that answers", async () => {
    const status = { status: { loadBalancer: { ingress: [{ ip: ADDRESS }] } } };
    const patch = ["patch", "service", "web", "--subresource=status", "-p", JSON.stringify(status)];
    await controlPlane.kubectl(patch);
    const owner = ["lladdr", lab.node(2).mac(), "dev", "eth0", "nud", "permanent"];
    await lab.client.run(["ip", "neigh", "replace", ADDRESS, ...owner]);
    assert.equal((await answerAt(`http://${ADDRESS}/`)).pod, "a");
  });

  test("lab pods on other nodes are reached, and endpoints follow their conditions", async () => {
    const cluster = { spec: { externalTrafficPolicy: "Cluster" } };
    await controlPlane.kubectl(["patch", "service", "web", "-p", JSON.stringify(cluster)]);
    await backends.add("b", lab.node(1));
    await backends.setConditions("a", { ready: false, serving: false, terminating: true });
    const url = `http://${lab.node(2).address()}:${NODE_PORT}/`;
    const ask = async () =>
      JSON.parse((await lab.client.curl(url, { timeoutMs: 500 })).body) as Answer;
    const answer = await eventually("pod b alone", ask, { until: ({ pod }) => pod === "b" });
    assert.equal(answer.client, lab.node(2).address(), "masqueraded on the way to another node");
    await backends.setConditions("a", {});
    await backends.remove("b");
    await eventually("pod a again", ask, { until: ({ pod }) => pod === "a" });
  });

  test("lab etcd restarted keeps its objects and its API server", async () => {
    await controlPlane.restartEtcd();
    assert.match(await controlPlane.kubectl(["get", "services"]), /^web /m);
    await controlPlane.kubectl(["create", "namespace", "after-restart"]);
  });

  test("lab API server frozen or stopped answers nothing and comes back", async () => {
    const get = ["get", "services", "--request-timeout=1s"];
    await controlPlane.freezeApiServer();
    assert.notEqual((await controlPlane.tryKubectl(get)).code, 0);
    controlPlane.thawApiServer();
    await controlPlane.waitUntilReady();
    await controlPlane.stopApiServer();
    assert.match((await controlPlane.tryKubectl(get)).stderr, /refused/);
    await controlPlane.startApiServer();
    assert.match(await controlPlane.kubectl(["get", "services"]), /^web /m);
  });

  test("lab users have the rights that RBAC gives them, and no others", async () => {
    await controlPlane.kubectl(["create", "serviceaccount", "reader"]);
    const role = ["create", "clusterrole", "reader", "--verb=list", "--resource=nodes"];
    await controlPlane.kubectl(role);
    const binding = ["create", "clusterrolebinding", "reader", "--clusterrole=reader"];
    await controlPlane.kubectl([...binding, "--serviceaccount=default:reader", "--user=jane"]);
    for (const kubeconfig of [
      await controlPlane.serviceAccountKubeconfig("default", "reader", { tokenInFile: true }),
      await controlPlane.kubeconfig({ name: "jane", groups: ["readers"] }),
    ]) {
      assert.equal((await controlPlane.tryKubectl(["get", "nodes"], { kubeconfig })).code, 0);
      const refused = await controlPlane.tryKubectl(["get", "services"], { kubeconfig });
      assert.match(refused.stderr, /Forbidden/);
    }
  });

  test("lab certificate that expired is refused", async () => {
    const kubeconfig = await controlPlane.expiredCertificateKubeconfig();
    const refused = await controlPlane.tryKubectl(["get", "nodes"], { kubeconfig });
    assert.match(refused.stderr, /Unauthorized|must be logged in/);
  });

  test("kubectl shows the columns of pools and advertisements", async () => {
    await controlPlane.installLbd();
    await controlPlane.apply(RESOURCES);
    const rows = async (...argv: string[]): Promise<string[][]> => {
      const printed = await controlPlane.kubectl(["get", ...argv, "-n", "metallb-system"]);
      return printed
        .trim()
        .split("\n")
        .map((line) => line.split(/ {2,}/).map((cell) => cell.trim()));
    };
    assert.deepEqual(await rows("ipaddresspools"), [
      ["NAME", "AUTO ASSIGN", "AVOID BUGGY IPS", "ADDRESSES"],
      ["lan", "true", "false", '["192.168.100.50-192.168.100.59"]'],
      ["quiet", "false", "true", '["10.0.0.0/24","10.0.1.0/24"]'],
    ]);
    const heads = ["NAME", "IPADDRESSPOOLS", "IPADDRESSPOOL SELECTORS", "INTERFACES"];
    const selectors = '[{"matchLabels":{"tier":"a"}}]';
    assert.deepEqual(await rows("l2advertisements"), [
      heads,
      ["lan", '["lan"]', selectors, '["eth0"]'],
    ]);
    assert.deepEqual(await rows("l2advertisements", "-o", "wide"), [
      [...heads, "NODE SELECTORS"],
      ["lan", '["lan"]', selectors, '["eth0"]', '[{"matchLabels":{"rack":"b"}}]'],
    ]);
  });

  test("lab API server is reached from the test process over loopback", async () => {
    const server = await controlPlane.openOnLoopback();
    const agent = new Agent({ connect: { ca: controlPlane.authority.certificate } });
    const { statusCode, body } = await request(`${server}/readyz`, { dispatcher: agent });
    assert.deepEqual([statusCode, await body.text()], [200, "ok"]);
    await agent.close();
  });
});
