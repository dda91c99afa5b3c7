// How nodes come from MetalLB to lbd one after the other, and back: commands, in their order. Pure.

import type { FoundWorkload, Inventory } from "./inventory.ts";
import { SPEAKER_LABEL as LABEL } from "./takeover-state.ts";

/** Both rank nodes alike, so that each address stays where it is. */
export function takeover(inventory: Inventory): string[] {
  const { namespace } = inventory;
  const controller = named(inventory, "Deployment");
  const speaker = named(inventory, "DaemonSet");
  if (controller === null && speaker === null) {
    return ["# MetalLB does not run here: start lbd on every node, and look at lbctl status"];
  }
  const template = { spec: { nodeSelector: { [LABEL]: "yes" } } };
  const updateStrategy = { type: "OnDelete", rollingUpdate: null };
  const selector = JSON.stringify({ spec: { updateStrategy, template } });
  return [
    '# 1. On every node: "mode: shadow" in /etc/lbd/config.yaml; nothing is done, all is compared',
    "systemctl restart lbd && lbctl plan shadow",
    "# 2. No more addresses from MetalLB; what Services have, they keep. From now on its",
    "#    webhook refuses changes of pools: see the traps above",
    `kubectl scale deployment ${controller?.name ?? "controller"} -n ${namespace} --replicas=0`,
    '# 3. On every node: "mode: active". Beside a speaker lbd owns addresses, and answers nothing',
    "systemctl restart lbd && lbctl status",
    "# 4. Speakers by label; none of them restarts, as pods are left alone until they are deleted",
    `kubectl label nodes --all ${LABEL}=yes`,
    `kubectl patch daemonset ${speaker?.name ?? "speaker"} -n ${namespace} -p '${selector}'`,
    "# 5. Node by node, without a long pause: its speaker goes, and lbd answers within 2 s. The",
    "#    speakers that are left take its addresses as well, until the last of them is gone.",
    `kubectl label node NODE --overwrite ${LABEL}=no`,
    "lbctl status   # on NODE, until it says nothing of a speaker",
    "# Or all of 2, 4 and 5 by this, which waits for each, and goes on where it was:",
    "lbctl import metallb --take-over",
    "# 6. When all is well for a while: the CRDs first, see the traps above, then MetalLB",
  ];
}

export function rollBack(inventory: Inventory): string[] {
  const { namespace } = inventory;
  const controller = named(inventory, "Deployment");
  if (controller === null) return [];
  return [
    "# One node: its speaker comes back, and lbd beside it is silent within 10 s",
    `kubectl label node NODE --overwrite ${LABEL}=yes`,
    "# All of it: MetalLB gives addresses again, and lbd none; no Service loses its address",
    `kubectl label nodes --all --overwrite ${LABEL}=yes`,
    `kubectl scale deployment ${controller.name} -n ${namespace} --replicas=1`,
    "# What --take-over did is taken back, to what it was, by",
    "lbctl import metallb --roll-back",
  ];
}

function named({ workloads }: Inventory, kind: FoundWorkload["kind"]): FoundWorkload | null {
  return workloads.find((one) => one.kind === kind) ?? null;
}
