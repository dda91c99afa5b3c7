// An interface of a node that is deleted, and made anew under the same name.

import { runIp } from "../../lab/command.ts";
import type { LabHost } from "../../lab/host.ts";

/** Between the two, `meanwhile` is waited for. The addresses are those of before. */
export async function remakeEth0(
  host: LabHost,
  mac: string,
  meanwhile: () => Promise<void> = async () => {},
): Promise<void> {
  const { switchNamespace, port } = host.dataLink.ends;
  await runIp(["link del eth0"], host.namespace);
  await meanwhile();
  const peer = `peer name eth0 address ${mac} netns ${host.namespace}`;
  const made = [`link add ${port} type veth ${peer}`, `link set ${port} master br-data up`];
  await runIp(made, switchNamespace);
  // Without an address of its own it sends no beacons, and may not answer.
  const addresses = [
    `addr add ${host.address()}/24 dev eth0`,
    `addr add ${host.address6()}/64 dev eth0 nodad`,
  ];
  await runIp(["link set eth0 up", ...addresses], host.namespace);
}
