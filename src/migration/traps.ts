// What goes wrong on the way from MetalLB to lbd, as far as a cluster has it, each with what to do.
// Pure.

import type { FoundDefinition, FoundWebhook, Inventory } from "./inventory.ts";
import { flag } from "./settings.ts";

/** What can be done about it without harm, and more than once. */
export type Remedy =
  | { readonly type: "keep-definition"; readonly name: string }
  | {
      readonly type: "remove-webhook";
      readonly name: string;
      /** As it was read: one that has changed since is left. */
      readonly resourceVersion: string;
    };

export interface Trap {
  readonly what: string;
  readonly why: string;
  readonly next: string;
  /** What --apply does about it. */
  readonly remedies: readonly Remedy[];
  /** Something would be lost on the way over: --take-over refuses. */
  readonly isLosing?: boolean;
}

export function trapsOf(inventory: Inventory): Trap[] {
  return [
    ...definitionTraps(inventory.definitions),
    ...conversionTraps(inventory),
    ...webhookTraps(inventory),
    ...announcementTraps(inventory),
    ...bgpTraps(inventory),
    ...allocationTraps(inventory),
    ...statusTraps(inventory),
    ...nodeTraps(inventory),
    ...extraTraps(inventory),
  ];
}

/**
 * Helm removes what its release holds, whatever the objects say; an upgrade that drops them from
 * the release leaves those that are annotated. So both are needed, in this order.
 */
function definitionTraps(definitions: readonly FoundDefinition[]): Trap[] {
  const owned = definitions.filter(({ isHelms }) => isHelms);
  if (owned.length === 0) return [];
  const open = owned.filter(({ isKept }) => !isKept);
  return [
    {
      what: `"helm uninstall" would delete ${count(owned.length, "CRD")}, and all pools with them`,
      why:
        open.length === 0
          ? "they are annotated to be kept, which Helm heeds in an upgrade, and not in an uninstall"
          : `${open.length} without the annotation by which a Helm upgrade leaves them`,
      next:
        (open.length === 0 ? "" : "lbctl import metallb --apply; then ") +
        "helm upgrade <release> <chart> --reuse-values --set crds.enabled=false, " +
        "before any uninstall",
      remedies: open.map(({ name }) => ({ type: "keep-definition", name })),
    },
  ];
}

function conversionTraps({ definitions, present }: Inventory): Trap[] {
  return definitions.flatMap(({ name, conversion }): Trap[] => {
    if (conversion === null) return [];
    const isGone = present !== null && !present.includes(conversion);
    const what = isGone
      ? `${name} cannot be read in all versions: its converter "${conversion}" is gone`
      : `${name} is converted by MetalLB's "${conversion}": without it, reads of it fail`;
    const why = "the CRD has a conversion webhook";
    const next = "kubectl apply -f deploy/crds.yaml";
    return [{ what, why, next, remedies: [], isLosing: true }];
  });
}

function webhookTraps({ webhooks, present }: Inventory): Trap[] {
  return webhooks.flatMap((webhook): Trap[] => {
    const { name, resourceVersion, services, isFatal } = webhook;
    if (!isFatal) return [];
    if (!isLeftOver(webhook, present)) {
      const what = `ValidatingWebhookConfiguration "${name}" needs MetalLB's controller`;
      const why = "once that is gone, every write of a pool or an advertisement is refused";
      const command = `kubectl delete validatingwebhookconfiguration ${name}`;
      const next = `once the controller is scaled to 0: ${command}`;
      return [{ what, why, next, remedies: [] }];
    }
    const what = `ValidatingWebhookConfiguration "${name}" refuses every write of a pool`;
    const why = `what it asks, ${services.join(", ")}, is gone`;
    const remedy = { type: "remove-webhook", name, resourceVersion } as const;
    return [{ what, why, next: "lbctl import metallb --apply", remedies: [remedy] }];
  });
}

/** All of what it asks is gone; one that asks by URL asks somebody else. */
function isLeftOver({ services }: FoundWebhook, present: Inventory["present"]): boolean {
  const isGone = (service: string): boolean => present !== null && !present.includes(service);
  return services.length > 0 && services.every(isGone);
}

function announcementTraps({ resources }: Inventory): Trap[] {
  const has = (kind: string): boolean => (resources[kind]?.length ?? 0) > 0;
  if (!has("IPAddressPool") || has("L2Advertisement")) return [];
  if (has("BGPAdvertisement")) return [];
  return [
    {
      what: "No L2Advertisement: addresses are given, and nobody answers for them",
      why: "pools of today are not announced by themselves",
      next: "lbctl config convert",
      remedies: [],
    },
  ];
}

function bgpTraps({ resources }: Inventory): Trap[] {
  const names = resources.BGPAdvertisement ?? [];
  if (names.length === 0) return [];
  return [
    {
      what: `Nobody would announce what ${count(names.length, "BGPAdvertisement")} announces now`,
      why: "lbd reads what is configured for BGP, and announces nothing by it yet",
      next: "leave MetalLB where BGP is needed; nodes can be taken over when none is left",
      remedies: [],
      isLosing: true,
    },
  ];
}

function allocationTraps({ services }: Inventory): Trap[] {
  const holding = services.filter(({ addresses }) => addresses.length > 0);
  if (holding.length === 0) return [];
  return [
    {
      what: `Who has which address is told by ${count(holding.length, "status", "statuses")} alone`,
      why: "MetalLB keeps no other record; lbd takes all of it over before it gives anything away",
      next: "kubectl get services -A -o yaml > services-before.yaml, as a copy",
      remedies: [],
    },
  ];
}

function statusTraps({ ownedByPods }: Inventory): Trap[] {
  const kinds = Object.entries(ownedByPods).filter(([, count]) => count > 0);
  if (kinds.length === 0) return [];
  return [
    {
      what: `${kinds.map(([kind, count]) => `${count} ${kind}`).join(", ")} go with MetalLB's pods`,
      why: "a Pod owns each; what reads them must not take that for an outage",
      next: "nothing: lbctl vips, and kubectl get leases -n lbd-system, say who owns what",
      remedies: [],
    },
  ];
}

function nodeTraps(inventory: Inventory): Trap[] {
  const { excludedNodes, nodes } = inventory;
  if (excludedNodes.length === 0 || flag(inventory, "ignore-exclude-lb") !== null) return [];
  const isAll = excludedNodes.length === nodes.length;
  const label = "node.kubernetes.io/exclude-from-external-load-balancers";
  return [
    {
      what: isAll
        ? "Every node is excluded: nobody answers"
        : `${count(excludedNodes.length, "node")} excluded`,
      why: `${excludedNodes.join(", ")}: ${label}`,
      next: isAll
        ? `kubectl label node ${nodes[0] ?? ""} ${label}-`
        : "nothing, if it is meant; it is the same for lbd",
      remedies: [],
    },
  ];
}

function count(n: number, noun: string, plural = `${noun}s`): string {
  return `${n} ${n === 1 ? noun : plural}`;
}

function extraTraps({ configMaps }: Inventory): Trap[] {
  const extras = configMaps.bgpextras?.extras ?? "";
  if (extras.trim() === "") return [];
  return [
    {
      what: 'ConfigMap "bgpextras" has lines of FRR that lbd does not take over',
      why: "they are appended to MetalLB's own FRR, as they are",
      next: "put them into the configuration of the routing daemon on each node",
      remedies: [],
    },
  ];
}
