// Gathers all facts for `lbctl doctor`, at once; whatever cannot be found out says why.

import { hostname } from "node:os";
import { type NodeFile, parseNodeFile } from "../config/node-file.ts";
import { errorText } from "../core/errors.ts";
import { invariant } from "../core/invariant.ts";
import type { WallMs } from "../core/time.ts";
import { loadNodeFile } from "../daemon/load-node-file.ts";
import type { Facts } from "../doctor/facts.ts";
import { gatherCluster } from "./cluster.ts";
import { gatherDaemon } from "./daemon.ts";
import { gatherState, gatherUser } from "./files.ts";
import {
  gatherClock,
  gatherIptables,
  gatherKubeProxy,
  gatherNft,
  gatherProcesses,
  gatherUnit,
} from "./host.ts";
import { gatherInterfaces } from "./interfaces.ts";

export interface GatherOptions {
  /** Path of the node file. */
  readonly config: string;
  /** Null: the one of the node file. */
  readonly socket: string | null;
  readonly now: WallMs;
}

export interface NodeFileRead {
  /** The defaults, where the file cannot be used. */
  readonly file: NodeFile;
  readonly problem: string | null;
}

export function readNodeFile(path: string): NodeFileRead {
  try {
    return { file: loadNodeFile(path, hostname()), problem: null };
  } catch (thrown) {
    const defaults = parseNodeFile("nodeName: unknown\n", hostname());
    invariant(defaults.ok, "the defaults of the node file are valid");
    return { file: defaults.value, problem: errorText(thrown) };
  }
}

export async function gatherFacts({ config, socket, now }: GatherOptions): Promise<Facts> {
  const { file, problem } = readNodeFile(config);
  const [interfaces, nft, iptables, clock, kubeProxy, unit, answers, cluster] = await Promise.all([
    gatherInterfaces(file.excludeInterfaces),
    gatherNft(),
    gatherIptables(),
    gatherClock(),
    gatherKubeProxy(),
    gatherUnit(),
    gatherDaemon(socket ?? file.socket),
    gatherCluster(file, now),
  ]);
  return {
    now,
    node: file.nodeName,
    nodeFile: { path: config, problem },
    beaconPort: file.beacons.port,
    ignoreExcludeLabel: file.ignoreExcludeLabel,
    user: gatherUser(file.socketGroup),
    interfaces,
    pools: answers.pools.known ? answers.pools : cluster.pools,
    nft,
    iptables,
    clock: { ...clock, renewals: cluster.renewals },
    kubeProxy,
    processes: gatherProcesses(),
    credentials: cluster.credentials,
    credentialProblem: cluster.credentialProblem,
    missingPermissions: cluster.missingPermissions,
    nodes: cluster.nodes,
    unit,
    socket: answers.socket,
    daemon: answers.daemon,
    state: gatherState(file.stateFile),
  };
}
