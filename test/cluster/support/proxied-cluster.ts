// A cluster whose daemons reach the API server through a proxy that can be told to misbehave.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ControlPlane } from "../../lab/control-plane.ts";
import { labForSuite } from "../../lab/for-test.ts";
import type { Lab, LabOptions } from "../../lab/lab.ts";
import type { LabProcess } from "../../lab/lab-process.ts";
import { ADVERTISEMENT, DaemonCluster, POOL } from "./daemon-cluster.ts";

const PROXY_PORT = 7443;
const PROGRAM = join(import.meta.dirname, "fault-proxy.ts");

/** A Lease that a daemon wrote, with the status that the API server gave. */
export interface LeaseWrite {
  readonly name: string;
  readonly method: string;
  readonly status: number;
  readonly isAnswerLost: boolean;
}

export class ProxiedCluster {
  readonly cluster: DaemonCluster;
  readonly #proxy: LabProcess;
  readonly #faultFile: string;

  private constructor(cluster: DaemonCluster, proxy: LabProcess, faultFile: string) {
    this.cluster = cluster;
    this.#proxy = proxy;
    this.#faultFile = faultFile;
  }

  static async start(lab: Lab): Promise<ProxiedCluster> {
    const controlPlane = await ControlPlane.start(lab);
    await controlPlane.registerNodes();
    await controlPlane.installLbd();
    const faultFile = join(lab.folder, "fault");
    writeFileSync(faultFile, "");
    const pki = join(lab.apiHost.folder, "pki");
    const files = [join(pki, "serving.crt"), join(pki, "serving.key")];
    const address = lab.apiHost.address("management");
    const argv = [String(PROXY_PORT), ...files, `${address}:6443`, faultFile];
    const proxy = lab.apiHost.spawn("fault-proxy", [process.execPath, PROGRAM, ...argv]);
    await proxy.waitForOutput(/listening/);
    const server = `https://${address}:${PROXY_PORT}`;
    const account = await controlPlane.serviceAccountKubeconfig("lbd-system", "lbd", { server });
    const cluster = new DaemonCluster(lab, controlPlane, account);
    await controlPlane.apply(POOL);
    await controlPlane.apply(ADVERTISEMENT);
    await Promise.all(lab.nodes.map((node) => cluster.start(node)));
    return new ProxiedCluster(cluster, proxy, faultFile);
  }

  /** "": all is passed on; see fault-proxy.ts. */
  setFault(fault: string): void {
    writeFileSync(this.#faultFile, fault);
  }

  /** Services whose statuses were written and held up; with a status: those that arrived since. */
  statusWrites(status: "late" | number): string[] {
    const lines = this.#proxy.log().matchAll(/^status (\S+) (\S+)$/gm);
    return [...lines].flatMap(([, name = "", found]) => (found === String(status) ? [name] : []));
  }

  /** What was written to the Leases that the pattern matches, since the daemons were started. */
  leaseWrites(pattern: RegExp): LeaseWrite[] {
    const lines = this.#proxy.log().matchAll(/^lease (\S+) (\S+) (\d+)( lost)?$/gm);
    return [...lines]
      .map(([, name = "", method = "", status, lost]) => ({
        ...{ name, method, status: Number(status), isAnswerLost: lost !== undefined },
      }))
      .filter(({ name }) => pattern.test(name));
  }
}

/** To be called in a `describe`; the getter gives it to its tests. */
export function proxiedClusterForSuite(options: LabOptions): () => ProxiedCluster {
  let proxied: ProxiedCluster | null = null;
  labForSuite(options, async (lab) => {
    proxied = await ProxiedCluster.start(lab);
  });
  return () => {
    if (proxied === null) throw new Error("The cluster is not prepared yet");
    return proxied;
  };
}
