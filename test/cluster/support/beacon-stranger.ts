// A host that is no node and plays with beacons: hears them, sends what it likes, also in the name
// of another host's address.

import { join } from "node:path";
import type { LabHost } from "../../lab/host.ts";

export interface HeardDatagram {
  /** The IPv4 address that it came from. */
  readonly from: string;
  readonly bytes: Buffer;
}

const TOOL = join(import.meta.dirname, "beacon-tool.ts");

export class BeaconStranger {
  readonly #host: LabHost;

  constructor(host: LabHost) {
    this.#host = host;
  }

  /** The next datagrams in the group. */
  async record(count: number): Promise<HeardDatagram[]> {
    const printed = await this.#tool("record", String(count));
    const lines = printed.split("\n").filter(Boolean);
    return lines.map((line) => {
      const [from = "", hex = ""] = line.split(" ");
      return { from, bytes: Buffer.from(hex, "hex") };
    });
  }

  /** Sends to the group, from its own address. */
  async send(datagrams: readonly Uint8Array[]): Promise<void> {
    await this.#tool("send", this.#host.address(), datagrams);
  }

  /** Sends to the group with another host's address as the source. */
  async sendAs(source: string, datagrams: readonly Uint8Array[]): Promise<void> {
    const address = ["address", "add", `${source}/32`, "dev", "lo"];
    // It must not answer for the address that it lends itself.
    await this.#host.run(["sysctl", "-qw", "net.ipv4.conf.all.arp_ignore=1"]);
    await this.#host.run(["ip", ...address]);
    try {
      await this.#tool("send", source, datagrams);
    } finally {
      await this.#host.run(["ip", ...address.with(1, "del")]);
    }
  }

  #tool(mode: string, argument: string, datagrams: readonly Uint8Array[] = []): Promise<string> {
    const argv = [process.execPath, TOOL, mode, this.#host.address(), argument];
    const input = datagrams.map((bytes) => `${Buffer.from(bytes).toString("hex")}\n`).join("");
    return this.#host.run(argv, { input, timeoutMs: 10_000 });
  }
}
