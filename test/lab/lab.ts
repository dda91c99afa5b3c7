// A laboratory of network namespaces: nodes, a client and whoever else is wished for, cabled to a
// switch with a data segment and a management segment. Several labs can run at the same time. A lab
// is removed by dispose, when its process ends, or, after a SIGKILL, by the next lab that is made.

import { startCapture } from "./capture.ts";
import { removedAlready, removeOnExit, removeRecorded, sweepDeadLabs } from "./cleanup.ts";
import { LabClient } from "./client.ts";
import { type LabContext, newContext } from "./context.ts";
import { LabHost, namespaceOf } from "./host.ts";
import { keepFolder } from "./keep.ts";
import { LabNode, NODE_NUMBER_FIRST } from "./node.ts";
import {
  type Partition,
  type PartitionOptions,
  SEGMENT_PLANS,
  Segment,
  type SegmentMember,
  type SegmentName,
} from "./segment.ts";
import { type HostWish, SWITCH_NAME, wire } from "./wiring.ts";

export interface LabOptions {
  /** 1 to 90; default 3. They are called node1, node2 and so on. */
  readonly nodes?: number;
  /** A second data segment, with an eth1 on each node and on the client. */
  readonly secondDataSegment?: boolean;
  /** A host on the data segment that is no node: for foreign claims of an address. */
  readonly foreignHost?: boolean;
  /** A default gateway for nodes and client on the data segment, .1. */
  readonly gateway?: boolean;
  /** Stays when its maker ends; removed by `node test/lab/sweep.ts <id>`. */
  readonly outlivesOwner?: boolean;
}

const NODES_DEFAULT = 3;
const GATEWAY_NUMBER = 1;
const CLIENT_NUMBER = 2;
const FOREIGN_NUMBER = 3;
/** The address of the API server on the management segment is .1. */
const API_NUMBER = 1;

export class Lab {
  readonly id: string;
  readonly folder: string;
  readonly nodes: readonly LabNode[];
  readonly client: LabClient;
  readonly foreignHost: LabHost | null;
  readonly gateway: LabHost | null;
  /** Where the control plane runs: on the management segment only. */
  readonly apiHost: LabHost;
  readonly data: Segment;
  readonly data2: Segment | null;
  readonly management: Segment;
  /** What all hosts share; for the parts of the lab, not for tests. */
  readonly context: LabContext;
  #failure: string | null = null;
  #disposed = false;

  private constructor(context: LabContext, hosts: LabHosts, segments: readonly SegmentName[]) {
    this.context = context;
    this.id = context.id;
    this.folder = context.folder;
    this.nodes = hosts.nodes;
    this.client = hosts.client;
    this.apiHost = hosts.apiHost;
    this.foreignHost = hosts.foreignHost;
    this.gateway = hosts.gateway;
    const switchNamespace = namespaceOf(context, SWITCH_NAME);
    const segment = (name: SegmentName) => new Segment(SEGMENT_PLANS[name], switchNamespace);
    this.data = segment("data");
    this.data2 = segments.includes("data2") ? segment("data2") : null;
    this.management = segment("management");
  }

  /** Makes a lab. What labs of dead owners left behind is removed first. */
  static async create(options: LabOptions = {}): Promise<Lab> {
    if (process.getuid?.() !== 0) throw new Error("Cannot make a lab: only root may");
    sweepDeadLabs();
    const context = newContext(options.outlivesOwner ?? false);
    const { ledger } = context;
    if (!context.outlivesOwner) removeOnExit(context.id, () => ledger.record);
    try {
      const segments: SegmentName[] = ["data", "management"];
      if (options.secondDataSegment === true) segments.push("data2");
      const wishes = wishesOf(options);
      const plans = await wire(context, segments, wishes);
      const lab = new Lab(context, new LabHosts(context, plans), segments);
      if (options.gateway === true) await lab.#routeToGateway();
      return lab;
    } catch (error) {
      removedAlready(context.id);
      removeRecorded(ledger.record);
      throw error;
    }
  }

  /** node(1) is the first node. */
  node(index: number): LabNode {
    const node = this.nodes[index - 1];
    if (node === undefined) throw new Error(`The lab has no node ${index}`);
    return node;
  }

  get hosts(): LabHost[] {
    const others = [this.client, this.foreignHost, this.gateway, this.apiHost];
    return [...this.nodes, ...others.filter((host) => host !== null)];
  }

  /** Stops frames between the groups on the data segment. */
  partition(
    a: readonly SegmentMember[],
    b: readonly SegmentMember[],
    options: PartitionOptions = {},
  ): Promise<Partition> {
    return this.data.partition(a, b, options);
  }

  /** Ends all partitions on all segments. */
  async heal(): Promise<void> {
    await Promise.all([this.data.heal(), this.data2?.heal(), this.management.heal()]);
  }

  /** Captures packets on the hosts (default: all but the API's) from now on. */
  async capture(hosts?: readonly LabHost[], filter = ""): Promise<void> {
    await startCapture(hosts ?? this.hosts.filter((host) => host !== this.apiHost), filter);
  }

  /** The folder of the lab will be kept, and its place printed, when the lab is removed. */
  markFailed(why: string): void {
    this.#failure ??= why;
  }

  /** Removes everything. May be called twice. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    if (this.#failure !== null) keepFolder(this.folder, this.id, this.#failure);
    removedAlready(this.id);
    removeRecorded(this.context.ledger.record);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.dispose();
  }

  async #routeToGateway(): Promise<void> {
    const via = this.gateway?.address() ?? "";
    const hosts = [...this.nodes, this.client];
    await Promise.all(hosts.map((host) => host.run(["ip", "route", "add", "default", "via", via])));
  }
}

/** The hosts by their part in the lab. */
class LabHosts {
  readonly nodes: LabNode[] = [];
  readonly client: LabClient;
  readonly apiHost: LabHost;
  readonly foreignHost: LabHost | null;
  readonly gateway: LabHost | null;

  constructor(context: LabContext, plans: Awaited<ReturnType<typeof wire>>) {
    const plan = (name: string) => plans.find((plan) => plan.name === name);
    const host = (name: string) => {
      const found = plan(name);
      return found === undefined ? null : new LabHost(context, found);
    };
    const [client, api] = [plan("client"), plan("api")];
    if (client === undefined || api === undefined) throw new Error("A lab has a client and an API");
    for (const found of plans) {
      if (/^node\d+$/.test(found.name)) this.nodes.push(new LabNode(context, found));
    }
    this.client = new LabClient(context, client);
    this.apiHost = new LabHost(context, api);
    this.foreignHost = host("foreign");
    this.gateway = host("gateway");
  }
}

function wishesOf(options: LabOptions): HostWish[] {
  const data: SegmentName[] = options.secondDataSegment === true ? ["data", "data2"] : ["data"];
  const outside = (name: string, number: number): HostWish => ({
    name,
    number,
    segments: data,
    forwards: false,
  });
  const wishes: HostWish[] = [];
  for (let index = 0; index < (options.nodes ?? NODES_DEFAULT); index++) {
    const number = NODE_NUMBER_FIRST + index;
    const segments: SegmentName[] = [...data, "management"];
    wishes.push({ name: `node${index + 1}`, number, segments, forwards: true });
  }
  wishes.push(outside("client", CLIENT_NUMBER));
  wishes.push({ name: "api", number: API_NUMBER, segments: ["management"], forwards: false });
  if (options.foreignHost === true) wishes.push(outside("foreign", FOREIGN_NUMBER));
  if (options.gateway === true) {
    wishes.push({ ...outside("gateway", GATEWAY_NUMBER), forwards: true });
  }
  return wishes;
}
