// Real kube-proxy on nodes of the lab: it carries packets for a Service from the node that answers
// for its address to the pods. `ip netns exec` gives it the mount namespace with a /sys of the node
// that it needs.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import type { ControlPlane } from "./control-plane.ts";
import { eventually } from "./eventually.ts";
import type { LabProcess } from "./lab-process.ts";
import type { LabNode } from "./node.ts";

export const HEALTHZ_PORT = 10256;

/** All pods of the lab: kube-proxy masquerades what comes from elsewhere. */
const POD_CIDR4 = "10.244.0.0/16";
const READY_MS_MAX = 30_000;

/** Starts kube-proxy on the nodes (default: all); returns when all have written their rules. */
export async function startKubeProxies(
  controlPlane: ControlPlane,
  nodes: readonly LabNode[] = controlPlane.lab.nodes,
): Promise<LabProcess[]> {
  const kubeconfig = await controlPlane.kubeconfig({ name: "system:kube-proxy" });
  const binary = join(controlPlane.binaries, "kube-proxy");
  return Promise.all(nodes.map((node) => startKubeProxy(node, binary, kubeconfig)));
}

async function startKubeProxy(node: LabNode, binary: string, kubeconfig: string) {
  const configFile = join(node.folder, "kube-proxy.yaml");
  writeFileSync(configFile, stringify(configuration(node.name, kubeconfig)));
  const kubeProxy = node.spawn("kube-proxy", [binary, `--config=${configFile}`]);
  const what = `${kubeProxy.name} to be healthy`;
  const url = `http://127.0.0.1:${HEALTHZ_PORT}/healthz`;
  const argv = ["curl", "-s", "-m", "2", "-o", "/dev/null", "-w", "%{http_code}", url];
  const ask = async () => (await node.tryRun(argv)).stdout;
  await eventually(what, () => kubeProxy.whileRunning(what, ask), {
    timeoutMs: READY_MS_MAX,
    intervalMs: 50,
    until: (status) => status === "200",
  });
  return kubeProxy;
}

function configuration(nodeName: string, kubeconfig: string): object {
  return {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    clientConnection: { kubeconfig },
    hostnameOverride: nodeName,
    mode: "nftables",
    clusterCIDR: POD_CIDR4,
    healthzBindAddress: `0.0.0.0:${HEALTHZ_PORT}`,
    metricsBindAddress: "127.0.0.1:10249",
    // Default 1 s: tests that change endpoints would mostly wait for it.
    nftables: { minSyncPeriod: "100ms" },
    // These limits are not namespaced: 0 leaves the machine's own alone.
    conntrack: {
      maxPerCore: 0,
      min: 0,
      tcpEstablishedTimeout: "0s",
      tcpCloseWaitTimeout: "0s",
    },
  };
}
