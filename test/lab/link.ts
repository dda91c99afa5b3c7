// A cable between a host and a switch port. It is pulled at the switch's end, so that the host sees
// what a NIC sees: the interface stays up and loses its carrier.

import { run, runIp } from "./command.ts";

export interface LinkEnds {
  readonly switchNamespace: string;
  readonly port: string;
  readonly hostNamespace: string;
  readonly interfaceName: string;
}

export class Link {
  readonly ends: LinkEnds;

  constructor(ends: LinkEnds) {
    this.ends = ends;
  }

  /** Pulls the cable. The carrier is gone when this returns. */
  async down(): Promise<void> {
    await setCables([this], "down");
  }

  async up(): Promise<void> {
    await setCables([this], "up");
  }

  /** What the host sees: LOWER_UP among the flags of its interface. */
  async hasCarrier(): Promise<boolean> {
    const { hostNamespace, interfaceName } = this.ends;
    const json = await run(["ip", "-n", hostNamespace, "-j", "link", "show", interfaceName]);
    const [shown] = JSON.parse(json) as { flags: string[] }[];
    return shown?.flags.includes("LOWER_UP") ?? false;
  }
}

/** Pulls or plugs several cables of one lab within the same millisecond. */
export async function setCables(links: readonly Link[], state: "up" | "down"): Promise<void> {
  const [first] = links;
  if (first === undefined) return;
  const lines = links.map((link) => `link set ${link.ends.port} ${state}`);
  await runIp(lines, first.ends.switchNamespace);
}
