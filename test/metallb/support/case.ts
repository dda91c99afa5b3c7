// One case of MetalLB's own acceptance suite: a pool, advertisements and Services of its own, named
// after its number, and what it changes on Nodes. All of it is taken away when the case ends, so
// that many cases share one cluster.

import { createHash } from "node:crypto";
import { test } from "node:test";
import {
  type DaemonCluster,
  endpointOn,
  type ServicePlan,
} from "../../cluster/support/daemon-cluster.ts";
import { eventually } from "../../lab/eventually.ts";
import { endpointSliceManifest } from "../../lab/manifests.ts";
import type { CaseApi, CaseCluster } from "./case-cluster.ts";

export const EXCLUDE = "node.kubernetes.io/exclude-from-external-load-balancers";
const CONFIG = "/apis/metallb.io/v1beta1/namespaces/metallb-system";
const SERVICES = "/api/v1/namespaces/default/services";
const SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
const NODES = "/api/v1/nodes";
const EVENTS = "/api/v1/namespaces/default/events";
const PLURALS = { IPAddressPool: "ipaddresspools", L2Advertisement: "l2advertisements" } as const;
/** The addresses of case 1; each case has as many. */
const FIRST = 20;
const ADDRESSES = 8;
const TIMEOUT_MS = 30_000;
/** Every look costs some processes. */
const INTERVAL_MS = 100;

type Selector = { readonly matchLabels: Readonly<Record<string, string>> };
type Undo = () => Promise<unknown>;

type ConfigKind = keyof typeof PLURALS;

interface ServiceObject {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  readonly status: { readonly loadBalancer: { readonly ingress?: readonly { ip: string }[] } };
}

interface CoreEvent {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
}

export class MetallbCase {
  readonly cluster: DaemonCluster;
  readonly api: CaseApi;
  /** Name of the case's pool and advertisement, and how all its names begin. */
  readonly name: string;
  readonly #number: number;
  /** In the order in which it was done. */
  readonly #undo: Undo[] = [];

  constructor({ cluster, api }: CaseCluster, number: number) {
    this.cluster = cluster;
    this.api = api;
    this.#number = number;
    this.name = `case${number}`;
  }

  /** The case's own addresses, in order. */
  get addresses(): string[] {
    const first = FIRST + (this.#number - 1) * ADDRESSES;
    return Array.from({ length: ADDRESSES }, (_, i) => `192.168.100.${first + i}`);
  }

  address(index: number): string {
    const address = this.addresses[index];
    if (address === undefined) throw new Error(`Case ${this.#number} has no address ${index}`);
    return address;
  }

  /** Its addresses as a range, for those alone who ask for the pool, unless said otherwise. */
  async pool(spec: object = {}, name = this.name, labels: object = {}): Promise<void> {
    const addresses = [`${this.address(0)}-${this.address(ADDRESSES - 1)}`];
    await this.#apply("IPAddressPool", name, { addresses, autoAssign: false, ...spec }, labels);
  }

  /** An advertisement of the case's pool, unless the spec says otherwise. */
  async advertise(spec: object = {}, name = this.name): Promise<void> {
    await this.#apply("L2Advertisement", name, { ipAddressPools: [this.name], ...spec });
  }

  remove(kind: ConfigKind, name: string): Promise<void> {
    return this.api.remove(`${CONFIG}/${PLURALS[kind]}/${name}`);
  }

  /**
   * A Service of the case that asks for `address`, or for any, with an endpoint on the first node
   * unless it is said otherwise; returns its name.
   */
  async service(
    address: string | null,
    plan: Partial<ServicePlan> & { readonly labels?: object } = {},
  ): Promise<string> {
    const { name = "web", spec = {}, labels = {}, annotations = {} } = plan;
    const full = `${this.name}-${name}`;
    this.#undo.push(() => this.removeService(full));
    const endpoints = plan.endpoints ?? [endpointOn(this.nodes[0] ?? "")];
    const about = { service: full, namespace: "default", family: "IPv4", portName: "" } as const;
    const slice = endpointSliceManifest({ ...about, port: 80, endpoints });
    await this.api.apply(`${SLICES}/${full}-ipv4`, slice);
    const asked = address === null ? {} : { loadBalancerIP: address };
    await this.api.apply(`${SERVICES}/${full}`, {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: full, labels, annotations },
      spec: {
        type: "LoadBalancer",
        ports: [{ port: 80, protocol: "TCP" }],
        selector: { app: full },
        ...asked,
        ...spec,
      },
    });
    return full;
  }

  /** With its endpoints: the lab has no controller that would clear them away. */
  async removeService(name: string): Promise<void> {
    await this.api.remove(`${SERVICES}/${name}`);
    await this.api.remove(`${SLICES}/${name}-ipv4`);
  }

  /** A merge patch: what is null goes, lists are replaced. */
  patchService(name: string, change: object): Promise<unknown> {
    return this.api.patch(`${SERVICES}/${name}`, change);
  }

  /** `change` is `key=value`, or `key-`: the label goes. */
  labelService(name: string, change: string): Promise<unknown> {
    return this.patchService(name, { metadata: { labels: labelsOf(change) } });
  }

  /** The same for a Node; at the end of the case the label goes. */
  async labelNode(node: string, change: string): Promise<void> {
    const set = (labels: object) => this.api.patch(`${NODES}/${node}`, { metadata: { labels } });
    const [key = ""] = Object.keys(labelsOf(change));
    this.#undo.push(() => set({ [key]: null }));
    await set(labelsOf(change));
  }

  /** Until the case ends, or until it is called with "False". */
  async setNetworkUnavailable(node: string, status: "True" | "False"): Promise<void> {
    const set = (to: string) => {
      const conditions = [
        { type: "Ready", status: "True", reason: "Lab" },
        { type: "NetworkUnavailable", status: to, reason: "Lab" },
      ];
      return this.api.patch(`${NODES}/${node}/status`, { status: { conditions } });
    };
    if (status === "True") this.#undo.push(() => set("False"));
    await set(status);
  }

  /** The nodes' names in the order in which MetalLB would have them announce the address. */
  ranking(address: string, among: readonly string[] = this.nodes): string[] {
    const digest = (node: string): string =>
      createHash("sha256").update(`${node}#${address}`).digest("hex");
    return [...among].sort((a, b) => (digest(a) < digest(b) ? -1 : 1));
  }

  get nodes(): string[] {
    return this.cluster.lab.nodes.map(({ name }) => name);
  }

  /** The first address of the case that the node ranks first for. */
  addressWonBy(node: string, among: readonly string[] = this.nodes): string {
    const found = this.addresses.find((address) => this.ranking(address, among)[0] === node);
    if (found === undefined) throw new Error(`${node} ranks first for no address of ${this.name}`);
    return found;
  }

  /** Until that node, and no other, is whose MAC the client learns. */
  async untilAnsweredBy(address: string, node: string): Promise<void> {
    await eventually(`${node} to answer for ${address}`, () => this.cluster.answering(address), {
      timeoutMs: TIMEOUT_MS,
      intervalMs: INTERVAL_MS,
      until: (found) => found === node,
    });
  }

  /** Until anybody but `node` answers; returns who. */
  async untilMovedFrom(node: string, address: string): Promise<string> {
    const what = `another than ${node} to answer for ${address}`;
    const found = await eventually(what, () => this.cluster.answering(address), {
      timeoutMs: TIMEOUT_MS,
      intervalMs: INTERVAL_MS,
      until: (answering) => answering !== null && answering !== node,
    });
    return found ?? "";
  }

  async untilSilent(address: string): Promise<void> {
    await eventually(`silence for ${address}`, () => this.cluster.lab.client.whoAnswers(address), {
      timeoutMs: TIMEOUT_MS,
      intervalMs: INTERVAL_MS,
      until: (macs) => macs.length === 0,
    });
  }

  /** Until the Service has just these addresses, in this order. */
  async untilHas(service: string, ...addresses: readonly string[]): Promise<void> {
    const read = async () => (await this.status(service)).addresses;
    await eventually(`${service} to have ${addresses}`, read, {
      timeoutMs: TIMEOUT_MS,
      intervalMs: INTERVAL_MS,
      until: (found) => found.join() === addresses.join(),
    });
  }

  /** What lbd has written to the Service. */
  async status(service: string): Promise<{ addresses: string[]; pool: string | undefined }> {
    const { metadata, status } = await this.api.get<ServiceObject>(`${SERVICES}/${service}`);
    const addresses = (status.loadBalancer.ingress ?? []).map(({ ip }) => ip);
    return { addresses, pool: metadata.annotations?.["metallb.io/ip-allocated-from-pool"] };
  }

  /** The message of the Service's first Event with that reason, once there is one. */
  async untilEvent(service: string, reason: string): Promise<string> {
    const query = { fieldSelector: `involvedObject.name=${service},reason=${reason}` };
    const find = async () => (await this.api.get<{ items: CoreEvent[] }>(EVENTS, query)).items[0];
    const event = await eventually(`Event ${reason} on Service ${service}`, find, {
      timeoutMs: TIMEOUT_MS,
    });
    return event?.message ?? "";
  }

  /** Every daemon knows the address, and what it says of it matches. */
  async untilExplained(address: string, pattern: RegExp): Promise<void> {
    const { daemons } = this.cluster;
    const path = `/v1/explain?subject=${encodeURIComponent(address)}`;
    const ask = () => Promise.all([...daemons.values()].map((daemon) => daemon.get(path)));
    await eventually(`explanations ${pattern}`, ask, {
      timeoutMs: TIMEOUT_MS,
      intervalMs: INTERVAL_MS,
      until: (answers) => answers.every(({ body }) => pattern.test(body.replaceAll('\\"', '"'))),
    });
  }

  /** Takes away all that the case has made, and undoes what it has changed. */
  async end(): Promise<void> {
    for (const undo of this.#undo.reverse()) await undo();
  }

  async #apply(kind: ConfigKind, name: string, spec: object, labels: object = {}): Promise<void> {
    const object = { apiVersion: "metallb.io/v1beta1", kind, metadata: { name, labels }, spec };
    await this.api.apply(`${CONFIG}/${PLURALS[kind]}/${name}`, object);
    this.#undo.push(() => this.remove(kind, name));
  }
}

function labelsOf(change: string): Record<string, string | null> {
  if (change.endsWith("-")) return { [change.slice(0, -1)]: null };
  const [key = "", value = ""] = change.split("=");
  return { [key]: value };
}

/** Selects the Nodes of these names, each by a selector of its own. */
export function selectNodes(...names: readonly string[]): Selector[] {
  return names.map((name) => ({ matchLabels: { "kubernetes.io/hostname": name } }));
}

/** `preferredNodeSelectors` with one weight for the nodes with the label. */
export function prefer(label: string, weight = 100): object {
  const [key = "", value = ""] = label.split("=");
  return { weight, preference: { matchLabels: { [key]: value } } };
}

/** A test that is one case, in a cluster that is prepared. */
export function caseTest(
  cases: () => CaseCluster,
  title: `${number}: ${string}`,
  run: (one: MetallbCase) => Promise<void>,
): void {
  test(title, async () => {
    const one = new MetallbCase(cases(), Number.parseInt(title, 10));
    try {
      await run(one);
    } finally {
      await one.end();
    }
  });
}
