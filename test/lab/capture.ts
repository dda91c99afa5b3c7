// Packet captures of a lab, one file a host. They live in the lab's folder, and so are kept exactly
// when the folder is: on failure.

import { join } from "node:path";
import type { LabHost } from "./host.ts";

/** Enough for the headers of everything the lab sends; bodies are of no interest. */
const SNAPSHOT_BYTES = 256;

/** Starts tcpdump on all interfaces of the hosts; returns when all of them listen. */
export async function startCapture(hosts: readonly LabHost[], filter = ""): Promise<void> {
  const listening = hosts.map((host) => {
    const file = join(host.folder, `${host.name}.pcap`);
    // -U writes each packet at once: nothing is lost when the capture is killed.
    const how = ["-i", "any", "-n", "-U", "--immediate-mode", "-Z", "root"];
    const what = ["-s", String(SNAPSHOT_BYTES), "-w", file, ...filter.split(" ").filter(Boolean)];
    const capture = host.spawn("tcpdump", ["tcpdump", ...how, ...what]);
    return capture.waitForOutput(/listening on/);
  });
  await Promise.all(listening);
}
