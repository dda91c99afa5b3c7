// A cluster for the daemon's tests: a lab with the real control plane, one lbd a node under its
// least-privilege account, a pool and an advertisement. Prepared once for a `describe`.

import { join } from "node:path";
import { afterEach } from "node:test";
import { ControlPlane } from "../../lab/control-plane.ts";
import { type DaemonOptions, type LabDaemon, startDaemon } from "../../lab/daemon.ts";
import { eventually } from "../../lab/eventually.ts";
import { labForSuite } from "../../lab/for-test.ts";
import type { Lab, LabOptions } from "../../lab/lab.ts";
import { type EndpointState, endpointSliceManifest } from "../../lab/manifests.ts";
import type { LabNode } from "../../lab/node.ts";

/** `192.168.100.50` to `.59`, on the data segment of the lab. */
export const POOL = `
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: lan, namespace: metallb-system}
spec: {addresses: ["192.168.100.50-192.168.100.59"]}
`;
export const ADVERTISEMENT = `
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: {name: everything, namespace: metallb-system}
`;

export interface Vip {
  readonly address: string;
  readonly owner: string | null;
  readonly epoch: number;
  readonly here: string;
}

export interface ServicePlan {
  readonly name: string;
  readonly spec?: Record<string, unknown>;
  readonly annotations?: Record<string, string>;
  readonly endpoints?: readonly EndpointState[] | undefined;
}

interface ServiceStatus {
  readonly metadata: { readonly annotations?: Record<string, string> };
  readonly status: { readonly loadBalancer: { readonly ingress?: readonly { ip: string }[] } };
}

interface KubernetesEvent {
  readonly type: string;
  readonly reason: string;
  readonly note: string;
  readonly regarding: { readonly name: string };
}

export class DaemonCluster {
  readonly lab: Lab;
  readonly controlPlane: ControlPlane;
  readonly kubeconfig: string;
  readonly daemons = new Map<string, LabDaemon>();

  constructor(lab: Lab, controlPlane: ControlPlane, kubeconfig: string) {
    this.lab = lab;
    this.controlPlane = controlPlane;
    this.kubeconfig = kubeconfig;
  }

  async start(node: LabNode, options: Partial<DaemonOptions> = {}): Promise<LabDaemon> {
    const daemon = await startDaemon(node, { kubeconfig: this.kubeconfig, ...options });
    this.daemons.set(node.name, daemon);
    return daemon;
  }

  daemon(node: string): LabDaemon {
    const daemon = this.daemons.get(node);
    if (daemon === undefined) throw new Error(`No daemon on "${node}"`);
    return daemon;
  }

  node(name: string): LabNode {
    const node = this.lab.nodes.find((candidate) => candidate.name === name);
    if (node === undefined) throw new Error(`No node "${name}"`);
    return node;
  }

  /** Any daemon but that of `name`. */
  other(name: string): LabDaemon {
    const found = [...this.daemons].find(([node]) => node !== name);
    if (found === undefined) throw new Error(`There is only "${name}"`);
    return found[1];
  }

  /**
   * A Service with an endpoint that serves, somewhere that nobody connects to: without any nobody
   * answers for its address. `endpoints`: the nodes that have one, each with its state.
   */
  createService(
    name: string,
    spec: Record<string, unknown> = {},
    annotations = {},
    endpoints?: readonly EndpointState[],
  ) {
    return this.createServices([{ name, spec, annotations, endpoints }]);
  }

  /** All at once; each with one endpoint on the first node unless it says otherwise. */
  createServices(plans: readonly ServicePlan[]) {
    const items = plans.flatMap(({ name, spec = {}, annotations = {}, endpoints }) => [
      {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name, annotations },
        spec: { type: "LoadBalancer", ports: [{ port: 80 }], selector: { app: name }, ...spec },
      },
      this.#slice(name, endpoints ?? [endpointOn(this.lab.node(1).name)]),
    ]);
    return this.controlPlane.apply(JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  }

  /** With its endpoints: the lab has no controller that would clear them away. */
  async deleteService(name: string): Promise<void> {
    await this.controlPlane.kubectl(["delete", "service", name, "--wait=false"]);
    await this.controlPlane.kubectl(["delete", "endpointslice", `${name}-ipv4`]);
  }

  /** Says anew where the Service can be served. */
  setEndpoints(name: string, endpoints: readonly EndpointState[]) {
    return this.controlPlane.apply(JSON.stringify(this.#slice(name, endpoints)));
  }

  #slice(service: string, endpoints: readonly EndpointState[]): object {
    const about = {
      service,
      namespace: "default",
      family: "IPv4",
      portName: "",
      port: 80,
    } as const;
    return endpointSliceManifest({ ...about, endpoints });
  }

  async service(name: string): Promise<{ addresses: string[]; annotations: object }> {
    const service = await this.controlPlane.get<ServiceStatus>("service", name);
    const addresses = (service.status.loadBalancer.ingress ?? []).map(({ ip }) => ip);
    return { addresses, annotations: service.metadata.annotations ?? {} };
  }

  /** The Service's one address, once it has one. */
  addressOf(name: string): Promise<string> {
    const read = async () => (await this.service(name)).addresses[0] ?? "";
    return eventually(`an address of Service ${name}`, read, {
      timeoutMs: 10_000,
      until: (address) => address !== "",
    });
  }

  /** The node whose MAC the client's kernel learns for the address, or null. */
  async answering(address: string): Promise<string | null> {
    const mac = await this.lab.client.arping(address);
    return this.lab.nodes.find((node) => node.mac() === mac)?.name ?? mac;
  }

  /** The node that answers, once one that `accepts` does. */
  async untilAnswering(
    address: string,
    options: { accepts?: (node: string) => boolean; timeoutMs?: number } = {},
  ): Promise<string> {
    const { accepts = () => true, timeoutMs = 10_000 } = options;
    const node = await eventually(`an answer for ${address}`, () => this.answering(address), {
      timeoutMs,
      until: (found) => found !== null && accepts(found),
    });
    return node ?? "";
  }

  async vip(on: LabDaemon, address: string): Promise<Vip | undefined> {
    const { stdout } = await on.lbctl(["vips", "-o", "json"]);
    return (JSON.parse(stdout) as { items: Vip[] }).items.find((vip) => vip.address === address);
  }

  async events(service: string): Promise<KubernetesEvent[]> {
    const list = await this.controlPlane.get<{ items: KubernetesEvent[] }>("events.events.k8s.io");
    return list.items.filter((event) => event.regarding.name === service);
  }

  /** The note of the first Event with that reason, once there is one. */
  async untilEvent(service: string, reason: string): Promise<KubernetesEvent> {
    const find = async () => (await this.events(service)).find((event) => event.reason === reason);
    const event = await eventually(`Event ${reason} on Service ${service}`, find, {
      timeoutMs: 10_000,
      until: (found) => found !== undefined,
    });
    if (event === undefined) throw new Error("unreachable");
    return event;
  }

  async status(on: LabDaemon): Promise<string> {
    const { stdout, stderr } = await on.lbctl(["status"]);
    return stdout + stderr;
  }

  /** Until `lbctl status` says something that matches. */
  untilStatus(on: LabDaemon, pattern: RegExp, timeoutMs = 15_000): Promise<string> {
    return eventually(`status ${pattern}`, () => this.status(on), {
      timeoutMs,
      intervalMs: 300,
      until: (text) => pattern.test(text),
    });
  }
}

/** An endpoint on that node, ready unless it is said otherwise. */
export function endpointOn(nodeName: string, state: Partial<EndpointState> = {}): EndpointState {
  const isReady = { ready: true, serving: true, terminating: false };
  return { name: `pod-on-${nodeName}`, nodeName, address: "10.244.255.1", ...isReady, ...state };
}

const ATTEMPTS_MAX = 3;

/**
 * Runs `check`, which asserts that nothing moves for some seconds, again when the machine itself
 * stood still meanwhile: then a tenure lapses, as it must, and says so in the history.
 */
export async function whileMachineRuns(
  cluster: DaemonCluster,
  address: string,
  check: () => Promise<void>,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const before = await lapses(cluster, address);
    try {
      return await check();
    } catch (thrown) {
      if ((await lapses(cluster, address)) === before || attempt === ATTEMPTS_MAX) throw thrown;
      console.log("the machine stood still for longer than a tenure: once more");
      await cluster.untilAnswering(address);
    }
  }
}

/** How many tenures of the address have lapsed, as all daemons tell. */
async function lapses(cluster: DaemonCluster, address: string): Promise<number> {
  const histories = [...cluster.daemons.values()].map((daemon) =>
    daemon.lbctl(["history", address]),
  );
  const texts = (await Promise.all(histories)).map(({ stdout }) => stdout);
  return texts.join("").match(/tenure-lapsed/g)?.length ?? 0;
}

export interface ClusterOptions extends LabOptions {
  readonly dualStack?: boolean;
  /** Keys of every node file that differ from the lab's; by node, where those are not the same. */
  readonly config?: NodeConfig | ((node: string) => NodeConfig);
  /** Runs before the daemons are started. */
  readonly prepare?: (cluster: DaemonCluster) => Promise<void>;
}

type NodeConfig = Readonly<Record<string, unknown>>;

/** To be called in a `describe`; the getter gives the cluster to its tests. */
export function clusterForSuite(options: ClusterOptions = {}): () => DaemonCluster {
  let cluster: DaemonCluster | null = null;
  labForSuite(options, async (lab) => {
    const controlPlane = await ControlPlane.start(lab, { dualStack: options.dualStack ?? false });
    await controlPlane.registerNodes();
    cluster = new DaemonCluster(lab, controlPlane, await controlPlane.installLbd());
    await controlPlane.apply(POOL);
    await controlPlane.apply(ADVERTISEMENT);
    const started = cluster;
    const { config = {}, prepare } = options;
    const configOf = (node: string) => (typeof config === "function" ? config(node) : config);
    await prepare?.(started);
    const start = (node: LabNode) => started.start(node, { config: configOf(node.name) });
    await Promise.all(lab.nodes.map(start));
  });
  afterEach(async (test) => {
    if (!test.passed) await keepReports(cluster);
  });
  return () => {
    if (cluster === null) throw new Error("The cluster is not prepared yet");
    return cluster;
  };
}

/** What each daemon knows right after a failure, beside its log: the folder is kept. */
async function keepReports(cluster: DaemonCluster | null): Promise<void> {
  const daemons = [...(cluster?.daemons.values() ?? [])];
  const write = (daemon: LabDaemon): Promise<unknown> =>
    daemon
      .lbctl(["bugreport", "--file", join(daemon.node.folder, "failed.tar.gz")])
      .catch(() => null);
  await Promise.all(daemons.map(write));
}
