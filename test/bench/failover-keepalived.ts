// What lbd is compared with: Debian's keepalived on two nodes of the same lab, with a VRRP address
// on the same segment. It runs for its own trials only.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "../lab/eventually.ts";
import type { Lab } from "../lab/lab.ts";
import type { LabProcess } from "../lab/lab-process.ts";
import type { LabNode } from "../lab/node.ts";
import { type Fault, WATCH_MS } from "./failover-trial.ts";

const ADDRESS = "192.168.100.200";
const INTERFACE = "eth0";
const ELECTION_TIMEOUT_MS = 20_000;
/** After the election the other one, which listened throughout, has heard the master by then. */
const SETTLED_ADVERTS = 1.5;

/**
 * keepalived's own defaults but for the interval, and equal priorities, so that nothing moves back.
 * Intervals below a second need version 3 of the protocol.
 */
function configuration(advertSeconds: number): string {
  return `global_defs {
  router_id lbd_lab
  vrrp_version ${advertSeconds < 1 ? 3 : 2}
}
vrrp_instance bench {
  state BACKUP
  nopreempt
  interface ${INTERFACE}
  virtual_router_id 51
  priority 100
  advert_int ${advertSeconds}
  virtual_ipaddress { ${ADDRESS}/24 dev ${INTERFACE} }
}
`;
}

export function keepalivedFault(lab: Lab, name: string, advertSeconds: number): Fault {
  const pair = lab.nodes.slice(0, 2);
  let running: LabProcess[] = [];
  return {
    name,
    contender: "keepalived",
    address: ADDRESS,
    keepsOwner: false,
    isSlowToHeal: false,
    watchMs: WATCH_MS,
    prepare: async () => {
      running = pair.map((node) => start(node, advertSeconds));
      await eventually("a VRRP master", () => masters(pair), {
        timeoutMs: ELECTION_TIMEOUT_MS,
        until: (found) => found.length === 1,
      });
      await sleep(SETTLED_ADVERTS * advertSeconds * 1_000);
    },
    strike: (owner) => owner.pullCables(),
    heal: async (owner) => {
      await Promise.all(running.map((process) => process.kill("SIGTERM")));
      await owner.plugCables();
    },
    joinedAt: () => null,
    explain: async () => [],
  };
}

function start(node: LabNode, advertSeconds: number): LabProcess {
  const file = (name: string): string => join(node.folder, name);
  const config = file("keepalived.conf");
  writeFileSync(config, configuration(advertSeconds));
  return node.spawn("keepalived", [
    "keepalived",
    ...["--vrrp", "--dont-fork", "--log-console", "--log-detail", "--dump-conf"],
    ...["--use-file", config],
    ...["--pid", file("keepalived.pid"), "--vrrp_pid", file("keepalived-vrrp.pid")],
  ]);
}

/** The nodes that have the address on their interface. */
async function masters(nodes: readonly LabNode[]): Promise<LabNode[]> {
  const argv = ["ip", "-o", "address", "show", "dev", INTERFACE, "to", ADDRESS];
  const shown = await Promise.all(nodes.map((node) => node.run(argv)));
  return nodes.filter((_, i) => shown[i] !== "");
}
