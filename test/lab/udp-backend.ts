// A UDP server behind a Service, on the foreign host of the lab: it outlives every node.

import { join } from "node:path";
import type { ControlPlane } from "./control-plane.ts";
import { endpointSliceManifest } from "./manifests.ts";

const PROGRAM = join(import.meta.dirname, "udp-echo-server.ts");

/** Starts the server and makes it the only endpoint of the Service, which the test makes itself. */
export async function startUdpBackend(
  controlPlane: ControlPlane,
  { service, port }: { readonly service: string; readonly port: number },
): Promise<void> {
  const { lab } = controlPlane;
  const host = lab.foreignHost;
  if (host === null) throw new Error("The lab has no foreign host");
  const server = host.spawn("udp-echo", [process.execPath, PROGRAM, String(port)]);
  await server.waitForOutput(/listening on/);
  const endpoint = {
    name: "udp-echo",
    // Endpoints have a node; with traffic policy Cluster it does not matter which.
    nodeName: lab.node(1).name,
    address: host.address(),
    ready: true,
    serving: true,
    terminating: false,
  };
  const slice = endpointSliceManifest({
    ...{ service, namespace: "default", family: "IPv4", portName: "", port, protocol: "UDP" },
    endpoints: [endpoint],
  });
  await controlPlane.apply(JSON.stringify(slice));
}
