// One L2 broadcast domain: a bridge in the switch namespace, with a port for each host. Frames
// between chosen hosts can be dropped here, which no host notices except by what it does not
// receive.

import { run } from "./command.ts";
import type { Link } from "./link.ts";

export type SegmentName = "data" | "data2" | "management";

export interface SegmentPlan {
  readonly name: SegmentName;
  /** Interface name on the hosts. */
  readonly interfaceName: string;
  /** First three numbers of the IPv4 /24. */
  readonly prefix4: string;
  /** First groups of the IPv6 /64, or null for an IPv4-only segment. */
  readonly prefix6: string | null;
}

export const SEGMENT_PLANS: Readonly<Record<SegmentName, SegmentPlan>> = {
  data: {
    name: "data",
    interfaceName: "eth0",
    prefix4: "192.168.100",
    prefix6: "fd00:100:",
  },
  data2: {
    name: "data2",
    interfaceName: "eth1",
    prefix4: "192.168.101",
    prefix6: "fd00:101:",
  },
  // Carries nothing but the Kubernetes API.
  management: {
    name: "management",
    interfaceName: "mgmt0",
    prefix4: "172.30.0",
    prefix6: null,
  },
};

export interface PartitionOptions {
  /** Drop only frames from the first group to the second. */
  readonly oneWay?: boolean;
  /**
   * Drop only what this nftables expression matches, for example `ip protocol udp`,
   * `ether type arp`, or `numgen random mod 100 < 20` for a loss of 20 %.
   */
  readonly match?: string;
}

/** Anything that has a cable in this segment. */
export interface SegmentMember {
  readonly name: string;
  linkOn(segment: SegmentName): Link;
}

interface Block {
  readonly from: readonly SegmentMember[];
  readonly to: readonly SegmentMember[];
  readonly match: string;
}

export class Segment {
  readonly plan: SegmentPlan;
  readonly bridge: string;
  readonly #switchNamespace: string;
  #partitions: Partition[] = [];

  constructor(plan: SegmentPlan, switchNamespace: string) {
    this.plan = plan;
    this.bridge = `br-${plan.name}`;
    this.#switchNamespace = switchNamespace;
  }

  /** Stops frames between the groups until the partition, or the segment, is healed. */
  async partition(
    a: readonly SegmentMember[],
    b: readonly SegmentMember[],
    options: PartitionOptions = {},
  ): Promise<Partition> {
    const match = options.match ?? "";
    const blocks: Block[] = [{ from: a, to: b, match }];
    if (options.oneWay !== true) blocks.push({ from: b, to: a, match });
    const partition = new Partition(this, blocks);
    this.#partitions.push(partition);
    await this.#apply();
    return partition;
  }

  /** Ends one partition, or all of this segment. */
  async heal(partition?: Partition): Promise<void> {
    this.#partitions = this.#partitions.filter((other) => partition && other !== partition);
    await this.#apply();
  }

  /** All rules are replaced in one transaction: no frame sees half a partition. */
  async #apply(): Promise<void> {
    const chain = `bridge lab ${this.plan.name}`;
    const rules = this.#partitions.flatMap((partition) => partition.blocks).map(this.#rule);
    const lines = [
      "add table bridge lab",
      `add chain ${chain} { type filter hook forward priority 0; policy accept; }`,
      `flush chain ${chain}`,
      ...rules.map((rule) => `add rule ${chain} ${rule}`),
    ];
    await run(["ip", "netns", "exec", this.#switchNamespace, "nft", "-f", "-"], {
      input: `${lines.join("\n")}\n`,
    });
  }

  readonly #rule = (block: Block): string => {
    const ports = (members: readonly SegmentMember[]) =>
      members.map((member) => `"${member.linkOn(this.plan.name).ends.port}"`).join(", ");
    const pair = `iifname { ${ports(block.from)} } oifname { ${ports(block.to)} }`;
    return `${pair} ${block.match} counter drop`;
  };
}

export class Partition {
  readonly blocks: readonly Block[];
  readonly #segment: Segment;

  constructor(segment: Segment, blocks: readonly Block[]) {
    this.#segment = segment;
    this.blocks = blocks;
  }

  async heal(): Promise<void> {
    await this.#segment.heal(this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.heal();
  }
}
