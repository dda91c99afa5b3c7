// The objects of the Kubernetes API that lbd needs: those that all nodes share, from deploy/, and
// those of one node, its account with the least rights. Pure.

import { parseAllDocuments, stringify } from "yaml";
import { nodeAccount } from "../core/node-account.ts";

export interface ApiObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly [key: string]: unknown;
}

export interface Places {
  /** Where IPAddressPools are. */
  readonly namespace: string;
  /** Where lbd keeps its Leases. */
  readonly systemNamespace: string;
}

/** `token`: a service account; `certificate`: a user of the name of the account. */
export type CredentialKind = "token" | "certificate";

const DEPLOYED: Places = { namespace: "metallb-system", systemNamespace: "lbd-system" };
const RBAC = "rbac.authorization.k8s.io";
const RBAC_VERSION = `${RBAC}/v1`;
const LABELS = { "app.kubernetes.io/managed-by": "lbd" } as const;
/** Of the roles in deploy/rbac.yaml. */
const SHARED_ROLE = "lbd";

/** The objects in the texts of deploy/, in the namespaces that the node file names. */
export function sharedObjects(texts: readonly string[], places: Places): ApiObject[] {
  const documents = texts.flatMap((text) => parseAllDocuments(text));
  const all = documents.map((document) => document.toJS() as ApiObject | null);
  const found = all.filter((object) => object !== null).map((object) => placed(object, places));
  return merged(found);
}

/** Where both places are one namespace, its two roles are one, too. */
function merged(objects: readonly ApiObject[]): ApiObject[] {
  const byLabel = new Map<string, ApiObject>();
  for (const object of objects) {
    const label = labelOf(object);
    const before = byLabel.get(label);
    const rules = [before, object].flatMap((one) => (one?.rules as unknown[] | undefined) ?? []);
    byLabel.set(label, rules.length === 0 ? object : { ...object, rules });
  }
  return [...byLabel.values()];
}

function placed(object: ApiObject, places: Places): ApiObject {
  const renamed = (name: string): string => {
    if (name === DEPLOYED.namespace) return places.namespace;
    return name === DEPLOYED.systemNamespace ? places.systemNamespace : name;
  };
  const { metadata } = object;
  if (object.kind === "Namespace") {
    return { ...object, metadata: { ...metadata, name: renamed(metadata.name) } };
  }
  if (metadata.namespace === undefined) return object;
  return { ...object, metadata: { ...metadata, namespace: renamed(metadata.namespace) } };
}

/** The account of one node and what it may; of the other kind nothing. */
export function nodeObjects(node: string, places: Places, kind: CredentialKind): ApiObject[] {
  const { namespace, systemNamespace } = places;
  const name = nodeAccount(node);
  const subject =
    kind === "token"
      ? { kind: "ServiceAccount", name, namespace: systemNamespace }
      : { kind: "User", name, apiGroup: RBAC };
  const shared = [
    binding("ClusterRoleBinding", { name }, { kind: "ClusterRole", name: SHARED_ROLE }, subject),
    ...[...new Set([systemNamespace, namespace])].map((place) =>
      binding(
        "RoleBinding",
        { name, namespace: place },
        { kind: "Role", name: SHARED_ROLE },
        subject,
      ),
    ),
  ];
  if (kind === "certificate") return shared;
  return [
    {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name, namespace: systemNamespace, labels: LABELS },
      automountServiceAccountToken: false,
    },
    ...shared,
    ...renewal(node, systemNamespace, subject),
  ];
}

/** It may ask for tokens of itself, and of nobody else. */
function renewal(node: string, namespace: string, subject: object): ApiObject[] {
  const resourceNames = [nodeAccount(node)];
  // No name that another node's objects could have, as "lbd-node-a-token" of a node "a-token".
  const metadata = { name: `lbd-token-${node}`, namespace };
  const rule = { apiGroups: [""], resources: ["serviceaccounts/token"], resourceNames };
  return [
    {
      apiVersion: RBAC_VERSION,
      kind: "Role",
      metadata: { ...metadata, labels: LABELS },
      rules: [{ ...rule, verbs: ["create"] }],
    },
    binding("RoleBinding", metadata, { kind: "Role", name: metadata.name }, subject),
  ];
}

function binding(
  kind: "ClusterRoleBinding" | "RoleBinding",
  metadata: { name: string; namespace?: string },
  role: { kind: string; name: string },
  subject: object,
): ApiObject {
  return {
    apiVersion: RBAC_VERSION,
    kind,
    metadata: { ...metadata, labels: LABELS },
    roleRef: { apiGroup: RBAC, ...role },
    subjects: [subject],
  };
}

/** The Lease by which the node is a member. */
export function nodeLease(node: string, { systemNamespace: namespace }: Places): ApiObject {
  const metadata = { name: nodeAccount(node), namespace };
  return { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata };
}

export function asYaml(objects: readonly ApiObject[]): string {
  return objects.map((object) => stringify(object, { lineWidth: 0 })).join("---\n");
}

/** "Role lbd-system/lbd". */
export function labelOf({ kind, metadata: { name, namespace } }: ApiObject): string {
  return namespace === undefined ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}

const PLURALS: Readonly<Record<string, string>> = {
  Namespace: "namespaces",
  ServiceAccount: "serviceaccounts",
  CustomResourceDefinition: "customresourcedefinitions",
  ClusterRole: "clusterroles",
  ClusterRoleBinding: "clusterrolebindings",
  Role: "roles",
  RoleBinding: "rolebindings",
  Lease: "leases",
};

export interface ResourceOf {
  readonly group: string;
  readonly resource: string;
  readonly namespace: string | null;
  /** Of the object itself. */
  readonly path: string;
}

export function resourceOf({ apiVersion, kind, metadata }: ApiObject): ResourceOf {
  const [first = "", version] = apiVersion.split("/");
  const resource = PLURALS[kind] ?? `${kind.toLowerCase()}s`;
  const namespace = metadata.namespace ?? null;
  const root = version === undefined ? `/api/${apiVersion}` : `/apis/${apiVersion}`;
  const place = namespace === null ? root : `${root}/namespaces/${namespace}`;
  const group = version === undefined ? "" : first;
  return { group, resource, namespace, path: `${place}/${resource}/${metadata.name}` };
}

/** "rolebindings.rbac.authorization.k8s.io", as kubectl takes it. */
export function typeOf(object: ApiObject): string {
  const { group, resource } = resourceOf(object);
  return group === "" ? resource : `${resource}.${group}`;
}
