// Reads what a cluster has of MetalLB, and carries out what a plan says can be done without harm.
// With a kubeconfig of the administrator: lbd itself may not read most of it, and need not.

import { AppError } from "../core/errors.ts";
import type { ApiRequests } from "../k8s-sync/client.ts";
import { fields, isFields, list, text, textMap } from "../k8s-sync/decode.ts";
import { listAll } from "../k8s-sync/lister.ts";
import { listWorkloads, type Workload } from "../k8s-sync/workloads.ts";
import type { FoundWorkload, Inventory } from "./inventory.ts";
import { addressesOf, decodeFound, type Found, isOwnedByPod } from "./takeover-objects.ts";
import type { Remedy } from "./traps.ts";

type Fields = Readonly<Record<string, unknown>>;

const GROUP = "metallb.io";
const KEEP_ANNOTATION = "helm.sh/resource-policy";
const EXCLUDE_LABEL = "node.kubernetes.io/exclude-from-external-load-balancers";
const DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const WEBHOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
const KINDS: Readonly<Record<string, string>> = {
  IPAddressPool: "v1beta1/ipaddresspools",
  L2Advertisement: "v1beta1/l2advertisements",
  BGPPeer: "v1beta2/bgppeers",
  BGPAdvertisement: "v1beta1/bgpadvertisements",
  BFDProfile: "v1beta1/bfdprofiles",
  Community: "v1beta1/communities",
};
const STATUS_KINDS: Readonly<Record<string, string>> = {
  ServiceL2Status: "v1beta1/servicel2statuses",
  ServiceBGPStatus: "v1beta1/servicebgpstatuses",
  ConfigurationState: "v1beta1/configurationstates",
};

export class MetallbCluster {
  readonly #client: ApiRequests;
  readonly #namespace: string;
  readonly #unread = new Set<string>();
  readonly #unreadNames = new Set<string>();

  constructor(client: ApiRequests, namespace: string) {
    this.#client = client;
    this.#namespace = namespace;
  }

  /** What could not be read is in `unread`. Throws AppError API_UNREACHABLE when nothing can. */
  async read(): Promise<Inventory> {
    const nodes = await this.#list("/api/v1/nodes", "nodes", { isNeeded: true });
    const [workloads, services, definitions, webhooks, configMaps] = await Promise.all([
      this.#workloads(),
      this.#list("/api/v1/services", "services"),
      this.#list(DEFINITIONS, "customresourcedefinitions"),
      this.#list(WEBHOOKS, "validatingwebhookconfigurations"),
      this.#list(`/api/v1/namespaces/${this.#namespace}/configmaps`, "configmaps"),
    ]);
    const resources = await this.#kinds(KINDS);
    const statuses = await this.#kinds(STATUS_KINDS);
    const balancers = services.filter(({ raw }) => fields(raw.spec).type === "LoadBalancer");
    return {
      namespace: this.#namespace,
      workloads,
      services: balancers.map(serviceOf),
      resources: mapValues(resources, (all) => all.map(({ metadata }) => metadata.name)),
      definitions: definitions.filter(isOfGroup).map(definitionOf),
      webhooks: webhooks.filter(asksAboutMetallb).map(webhookOf),
      present: this.#unreadNames.has("services")
        ? null
        : services.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`),
      ownedByPods: mapValues(statuses, (all) => all.filter(isOwnedByPod).length),
      configMaps: Object.fromEntries(
        configMaps.map(({ metadata, raw }) => [metadata.name, textMap(raw.data)]),
      ),
      excludedNodes: nodes
        .filter(({ metadata }) => EXCLUDE_LABEL in metadata.labels)
        .map(({ metadata }) => metadata.name),
      nodes: nodes.map(({ metadata }) => metadata.name),
      unread: [...this.#unread],
    };
  }

  /** Null: done, or done already; else why not. */
  async apply(remedy: Remedy): Promise<string | null> {
    const answer =
      remedy.type === "keep-definition"
        ? await this.#client.request({
            method: "PATCH",
            path: `${DEFINITIONS}/${remedy.name}`,
            contentType: "application/merge-patch+json",
            body: { metadata: { annotations: { [KEEP_ANNOTATION]: "keep" } } },
          })
        : await this.#client.request({
            method: "DELETE",
            path: `${WEBHOOKS}/${remedy.name}`,
            body: { preconditions: { resourceVersion: remedy.resourceVersion } },
          });
    if (answer.ok || answer.failure.kind === "not-found") return null;
    return answer.failure.message;
  }

  async #workloads(): Promise<FoundWorkload[]> {
    const kinds = ["Deployment", "DaemonSet"] as const;
    const read = await Promise.all(
      kinds.map((kind) => listWorkloads(this.#client, { kind, namespace: this.#namespace })),
    );
    return read.flatMap((answer) => {
      if (answer.ok) return answer.value.filter(isMetallb).map(workloadOf);
      this.#unread.add(answer.failure.message);
      return [];
    });
  }

  async #kinds(kinds: Readonly<Record<string, string>>): Promise<Record<string, Found[]>> {
    const found: Record<string, Found[]> = {};
    for (const [kind, place] of Object.entries(kinds)) {
      const [version, name = ""] = place.split("/");
      const path = `/apis/${GROUP}/${version}/namespaces/${this.#namespace}/${name}`;
      found[kind] = await this.#list(path, name);
    }
    return found;
  }

  /** Nothing of what the API does not have; a failure is noted, or thrown. */
  async #list(path: string, name: string, { isNeeded = false } = {}): Promise<Found[]> {
    const listed = await listAll(this.#client, { path, name }, { decode: decodeFound });
    if (listed.ok) return listed.value.items;
    const { kind, message } = listed.failure;
    if (isNeeded) throw new AppError("API_UNREACHABLE", message);
    this.#unreadNames.add(name);
    if (kind !== "not-found") this.#unread.add(message);
    return [];
  }
}

function isMetallb({ metadata: { labels } }: Workload): boolean {
  return labels["app.kubernetes.io/name"] === "metallb" || labels.app === "metallb";
}

function workloadOf(workload: Workload): FoundWorkload {
  const { kind, images, environment, available, arguments: given } = workload;
  const { namespace, name } = workload.metadata;
  return { kind, namespace, name, images, environment, available, arguments: given };
}

function serviceOf(service: Found): Inventory["services"][number] {
  const { metadata, raw } = service;
  return {
    key: `${metadata.namespace}/${metadata.name}`,
    addresses: addressesOf(service),
    loadBalancerClass: text(fields(raw.spec).loadBalancerClass) ?? null,
    annotations: Object.keys(metadata.annotations).filter((key) => key.startsWith("metallb.")),
  };
}

function isOfGroup({ raw }: Found): boolean {
  return fields(raw.spec).group === GROUP;
}

function definitionOf({ metadata, raw }: Found): Inventory["definitions"][number] {
  const { labels, annotations } = metadata;
  const webhook = fields(fields(fields(raw.spec).conversion).webhook);
  const isHelms =
    labels["app.kubernetes.io/managed-by"] === "Helm" ||
    annotations["meta.helm.sh/release-name"] !== undefined;
  return {
    name: metadata.name,
    isHelms,
    isKept: annotations[KEEP_ANNOTATION] === "keep",
    conversion: serviceIn(fields(webhook.clientConfig)),
  };
}

/** `namespace/name` of the Service that is asked; null: it is asked by URL, or nobody is. */
function serviceIn(clientConfig: Fields): string | null {
  const { namespace, name } = fields(clientConfig.service);
  return isFields(clientConfig.service) ? `${text(namespace)}/${text(name)}` : null;
}

function webhooksIn({ raw }: Found): Fields[] {
  return list(raw.webhooks).filter(isFields);
}

/** MetalLB's alone: one that asks about other groups, too, is somebody else's. */
function asksAboutMetallb(found: Found): boolean {
  const groups = webhooksIn(found)
    .flatMap(({ rules }) => list(rules).filter(isFields))
    .flatMap(({ apiGroups }) => list(apiGroups));
  return groups.length > 0 && groups.every((group) => group === GROUP);
}

function webhookOf(found: Found): Inventory["webhooks"][number] {
  const all = webhooksIn(found);
  const services = all.flatMap(({ clientConfig }) => serviceIn(fields(clientConfig)) ?? []);
  return {
    name: found.metadata.name,
    resourceVersion: found.metadata.resourceVersion,
    services: all.length === services.length ? [...new Set(services)] : [],
    isFatal: all.some(({ failurePolicy }) => failurePolicy !== "Ignore"),
  };
}

function mapValues<A, B>(
  all: Readonly<Record<string, A>>,
  map: (value: A) => B,
): Record<string, B> {
  return Object.fromEntries(Object.entries(all).map(([key, value]) => [key, map(value)]));
}
