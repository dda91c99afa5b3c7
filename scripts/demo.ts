// `make demo`: the main job, step by step, in words. Everything in it is real: etcd, API server,
// kube-proxy, kubectl, HTTP servers in pods, and one lbd a node, each in a network namespace.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deployBackends } from "../test/lab/backends.ts";
import { ControlPlane } from "../test/lab/control-plane.ts";
import { type LabDaemon, startDaemon } from "../test/lab/daemon.ts";
import { eventually } from "../test/lab/eventually.ts";
import { startKubeProxies } from "../test/lab/kube-proxy.ts";
import { Lab } from "../test/lab/lab.ts";

const KEEP = (process.env.KEEP ?? "") !== "";
const IS_TERMINAL = process.stdout.isTTY === true;
const REPOSITORY = join(import.meta.dirname, "..");

const CONFIGURATION = `apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: lan, namespace: metallb-system}
spec: {addresses: ["192.168.100.50-192.168.100.59"]}
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: {name: everything, namespace: metallb-system}
`;
const SERVICE = `apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: LoadBalancer
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
`;

let stepNumber = 0;
function step(text: string): void {
  stepNumber += 1;
  const line = `${stepNumber}. ${text}`;
  console.log(IS_TERMINAL ? `\n\x1b[1m${line}\x1b[0m` : `\n${line}`);
}

/** A command and what it printed, as on a terminal. */
function show(command: string, output: string): void {
  console.log(`   $ ${command}`);
  for (const line of output.trimEnd().split("\n")) console.log(`     ${line}`);
}

class Demo {
  readonly #lab: Lab;
  readonly #controlPlane: ControlPlane;
  readonly #daemons = new Map<string, LabDaemon>();

  constructor(lab: Lab, controlPlane: ControlPlane) {
    this.#lab = lab;
    this.#controlPlane = controlPlane;
  }

  async run(): Promise<void> {
    await this.#startNodes();
    const address = await this.#giveAddress();
    const owner = await this.#reach(address);
    await this.#ask(owner);
    await this.#fail(owner, address);
    if (KEEP) this.#leaveRunning(address);
  }

  async #startNodes(): Promise<void> {
    step("Three nodes join the cluster: kube-proxy, two pods behind HTTP, and lbd on each node.");
    await this.#controlPlane.registerNodes();
    const kubeconfig = await this.#controlPlane.installLbd();
    await startKubeProxies(this.#controlPlane);
    await Promise.all(
      this.#lab.nodes.map(async (node) => {
        this.#daemons.set(node.name, await startDaemon(node, { kubeconfig }));
      }),
    );
    show("kubectl get nodes", await this.#controlPlane.kubectl(["get", "nodes"]));
  }

  async #giveAddress(): Promise<string> {
    step("A pool of addresses, where to announce them, and a Service of type LoadBalancer:");
    show("cat pool.yaml", CONFIGURATION);
    show("kubectl apply -f pool.yaml", await this.#apply(CONFIGURATION));
    show("cat web.yaml", SERVICE);
    show("kubectl apply -f web.yaml", await this.#apply(SERVICE));
    const pods = this.#lab.nodes.slice(-2).map((node, i) => ({ name: `web-${i + 1}`, node }));
    await deployBackends(this.#controlPlane, { service: "web", port: 8080, pods });
    const address = await eventually("an address", () => this.#addressOfService(), {
      timeoutMs: 15_000,
      until: (found) => found !== "",
    });
    const printed = await this.#controlPlane.kubectl(["get", "service", "web"]);
    show("kubectl get service web", printed);
    return address;
  }

  /** The client's kernel resolves the address by ARP, then talks to a pod through it. */
  async #reach(address: string): Promise<string> {
    step(`A client on the same network asks for ${address}:`);
    await this.#untilAnswered(address, 15_000);
    const { body } = await this.#lab.client.curl(`http://${address}/`);
    show(`client: curl http://${address}/`, body);
    const mac = await this.#lab.client.arping(address);
    show(`client: ip neigh show ${address}`, `${address} lladdr ${mac}`);
    const owner = this.#lab.nodes.find((node) => node.mac() === mac);
    if (owner === undefined) throw new Error(`No node has the MAC ${mac} that answered`);
    console.log(`   That is the network card of ${owner.name}: it owns the address now.`);
    return owner.name;
  }

  async #ask(owner: string): Promise<void> {
    step(`lbd says what it does, and why (asked on ${owner}):`);
    for (const argv of [["status"], ["explain", "default/web"]]) {
      show(`lbctl ${argv.join(" ")}`, (await this.#daemon(owner).lbctl(argv)).stdout);
    }
    const leases = ["get", "leases", "-n", "lbd-system"];
    show(`kubectl ${leases.join(" ")}`, await this.#controlPlane.kubectl(leases));
  }

  async #fail(owner: string, address: string): Promise<void> {
    step(`Both cables of ${owner} are pulled, data and management. The client keeps asking...`);
    const node = this.#lab.nodes.find(({ name }) => name === owner);
    await node?.pullCables();
    const pulledAt = performance.now();
    const outage = await this.#untilAnswered(address, 40_000);
    const mac = await this.#lab.client.arping(address);
    const successor = this.#lab.nodes.find((other) => other.mac() === mac);
    const seconds = ((outage - pulledAt) / 1_000).toFixed(1);
    console.log(`   ${successor?.name} took over; the client was without answer for ${seconds} s.`);
    console.log("   (Its beacons were missing for 0.3 s, and it did not answer when asked.)");
    const { stdout } = await this.#daemon(successor?.name ?? "").lbctl(["history"]);
    show(`lbctl history   (on ${successor?.name})`, stdout);
    show(`client: curl http://${address}/`, await this.#untilBody(address));
  }

  /** A pod on the dead node stays an endpoint until Kubernetes notices: every other try hangs. */
  async #untilBody(address: string): Promise<string> {
    const ask = () => this.#lab.client.curl(`http://${address}/`, { timeoutMs: 300 });
    const until = (answer: { status: number }): boolean => answer.status === 200;
    const answer = await eventually(`HTTP from ${address}`, ask, { timeoutMs: 10_000, until });
    return answer.body;
  }

  /** When the first answer came. */
  async #untilAnswered(address: string, timeoutMs: number): Promise<number> {
    const ask = () => this.#lab.client.curl(`http://${address}/`, { timeoutMs: 300 });
    const until = (answer: { status: number }): boolean => answer.status === 200;
    await eventually(`an answer from ${address}`, ask, { timeoutMs, intervalMs: 50, until });
    return performance.now();
  }

  #leaveRunning(address: string): void {
    const bin = join(this.#lab.folder, "bin");
    mkdirSync(bin, { recursive: true });
    const script = (name: string, command: string): void => {
      const text = `#!/bin/sh\nexec ${command} "$@"\n`;
      writeFileSync(join(bin, name), text, { mode: 0o755 });
    };
    const node = process.execPath;
    script("client", `ip netns exec ${this.#lab.client.namespace}`);
    const kubectl = join(this.#controlPlane.binaries, "kubectl");
    const admin = join(this.#lab.apiHost.folder, "admin.kubeconfig");
    const inApi = `ip netns exec ${this.#lab.apiHost.namespace}`;
    script("kubectl", `${inApi} env KUBECONFIG=${admin} ${kubectl}`);
    for (const [name, daemon] of this.#daemons) {
      const lbctl = `${node} ${join(REPOSITORY, "src/cli/main.ts")} --socket ${daemon.socket}`;
      script(`lbctl-${name}`, lbctl);
      script(name, `ip netns exec ${this.#lab.nodes.find((n) => n.name === name)?.namespace}`);
    }
    step("It goes on running. To play with it:");
    console.log(`   export PATH=${bin}:$PATH
   kubectl get services,ipaddresspools -A
   client curl http://${address}/
   lbctl-node1 vips
   node2 ip link set eth0 down

   To end it:  ${node} ${join(REPOSITORY, "test/lab/sweep.ts")} ${this.#lab.id}`);
  }

  async #addressOfService(): Promise<string> {
    const service = await this.#controlPlane.get<{
      status: { loadBalancer: { ingress?: { ip: string }[] } };
    }>("service", "web");
    return service.status.loadBalancer.ingress?.[0]?.ip ?? "";
  }

  #apply(yaml: string): Promise<string> {
    return this.#controlPlane.kubectl(["apply", "-f", "-"], yaml);
  }

  #daemon(node: string): LabDaemon {
    const daemon = this.#daemons.get(node);
    if (daemon === undefined) throw new Error(`No daemon on "${node}"`);
    return daemon;
  }
}

async function main(): Promise<void> {
  const startedAt = performance.now();
  step("A lab of network namespaces: a switch, three nodes, a client, etcd and the API server.");
  const lab = await Lab.create({ nodes: 3, outlivesOwner: KEEP });
  let isDone = false;
  try {
    const demo = new Demo(lab, await ControlPlane.start(lab));
    await demo.run();
    isDone = true;
  } finally {
    if (!isDone) lab.markFailed("demo");
    if (!KEEP || !isDone) lab.dispose();
  }
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  console.log(`\n${KEEP ? "Ready" : "Done, and everything is removed"} (${seconds} s).`);
}

await main();
