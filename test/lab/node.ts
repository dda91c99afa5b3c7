// A Kubernetes node of the lab: a host on the data and the management segment that routes to its
// pods and runs kube-proxy and the daemon.

import { type DaemonOptions, type LabDaemon, startDaemon } from "./daemon.ts";
import { LabHost } from "./host.ts";
import { type Link, setCables } from "./link.ts";

export class LabNode extends LabHost {
  /** 1 for the first node. */
  get index(): number {
    return this.number - NODE_NUMBER_FIRST + 1;
  }

  /** The pods of this node live here: 10.244.<index>.0/24 and fd00:244:<index>::/64. */
  get podCidr(): string {
    return `${this.podPrefix4}.0/24`;
  }

  get podCidr6(): string {
    return `${this.podPrefix6}:/64`;
  }

  /** First three numbers of the pods' addresses. */
  get podPrefix4(): string {
    return `10.244.${this.index}`;
  }

  get podPrefix6(): string {
    return `fd00:244:${this.index}:`;
  }

  /** Cable on the segment that carries the Kubernetes API. */
  get mgmtLink(): Link {
    return this.linkOn("management");
  }

  /**
   * Pulls all cables at once: to everybody else this is a crash of the machine. The one to the API
   * goes first: between two cables there are milliseconds, enough to release what is owned.
   */
  async pullCables(): Promise<void> {
    const others = this.links.filter((link) => link !== this.mgmtLink);
    await setCables([this.mgmtLink, ...others], "down");
  }

  async plugCables(): Promise<void> {
    await setCables(this.links, "up");
  }

  /** Starts `lbd` on this node and waits until its socket answers. */
  startDaemon(options: DaemonOptions): Promise<LabDaemon> {
    return startDaemon(this, options);
  }
}

/** Nodes are .11, .12 and so on. */
export const NODE_NUMBER_FIRST = 11;
