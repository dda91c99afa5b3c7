// Deployments and DaemonSets of a namespace, with what tells whether they run, where, and how they
// were started. Read when asked for; nothing is watched.

import type { ApiRequests } from "./client.ts";
import { decodeMeta, fields, isFields, list, text, textMap, texts } from "./decode.ts";
import { listAll } from "./lister.ts";
import type { ObjectMeta } from "./model.ts";
import { type Outcome, success } from "./outcome.ts";

export interface NodeRequirement {
  readonly key: string;
  readonly operator: string;
  readonly values: readonly string[];
}

/** All of its requirements must hold. */
export interface NodeTerm {
  /** On labels. */
  readonly expressions: readonly NodeRequirement[];
  /** On fields, of which Kubernetes knows metadata.name alone. */
  readonly fields: readonly NodeRequirement[];
}

export interface Workload {
  readonly kind: "Deployment" | "DaemonSet";
  readonly metadata: ObjectMeta;
  /** Pods that are asked for; of a DaemonSet one on each node that it selects. */
  readonly wanted: number;
  /** Pods that are available. */
  readonly available: number;
  /** Its controller has not yet acted on the last change of its spec. */
  readonly isChanging: boolean;
  readonly nodeSelector: Readonly<Record<string, string>>;
  /** OR-ed; null: no affinity is required. */
  readonly nodeTerms: readonly NodeTerm[] | null;
  readonly images: readonly string[];
  /** Of all containers, commands and arguments. */
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

const PATHS = { Deployment: "deployments", DaemonSet: "daemonsets" } as const;

/** Charts say the one, the manifests of old the other. */
const LABELS = ["app.kubernetes.io/name", "app"];
const COMPONENT_LABELS = ["app.kubernetes.io/component", "component"];

/** Whether it is MetalLB's; one that does not say of what component it is may be of any. */
export function isOfMetallb(
  { labels }: Pick<ObjectMeta, "labels">,
  component: "controller" | "speaker",
): boolean {
  if (!LABELS.some((key) => labels[key] === "metallb")) return false;
  const said = COMPONENT_LABELS.flatMap((key) => labels[key] ?? []);
  return said.length === 0 || said.includes(component);
}

export async function listWorkloads(
  client: ApiRequests,
  { kind, namespace }: { readonly kind: Workload["kind"]; readonly namespace: string },
  options: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {},
): Promise<Outcome<readonly Workload[]>> {
  const name = PATHS[kind];
  const path = `/apis/apps/v1/namespaces/${encodeURIComponent(namespace)}/${name}`;
  const decode = (raw: unknown): Workload | null => decodeWorkload(raw, kind);
  const listed = await listAll(client, { path, name }, { decode, ...options });
  return listed.ok ? success(listed.value.items) : listed;
}

export function decodeWorkload(raw: unknown, kind: Workload["kind"]): Workload | null {
  const object = fields(raw);
  const metadata = decodeMeta(object.metadata);
  if (metadata === null) return null;
  const status = fields(object.status);
  const pod = fields(fields(fields(object.spec).template).spec);
  const affinity = fields(fields(pod.affinity).nodeAffinity);
  const required = affinity.requiredDuringSchedulingIgnoredDuringExecution;
  const containers = list(pod.containers).filter(isFields);
  const generation = fields(object.metadata).generation;
  const { replicas } = fields(object.spec);
  const available = kind === "Deployment" ? status.availableReplicas : status.numberAvailable;
  return {
    kind,
    metadata,
    wanted: kind === "Deployment" && typeof replicas === "number" ? replicas : 1,
    available: typeof available === "number" ? available : 0,
    isChanging: generation !== status.observedGeneration,
    nodeSelector: textMap(pod.nodeSelector),
    nodeTerms: isFields(required) ? list(required.nodeSelectorTerms).map(decodeTerm) : null,
    images: containers.flatMap(({ image }) => text(image) ?? []),
    arguments: containers.flatMap(({ command, args }) => [...texts(command), ...texts(args)]),
    environment: Object.fromEntries(
      containers
        .flatMap(({ env }) => list(env).filter(isFields))
        .flatMap(({ name, value }) => {
          const key = text(name);
          return key === undefined ? [] : [[key, text(value) ?? ""] as const];
        }),
    ),
  };
}

function decodeTerm(raw: unknown): NodeTerm {
  const { matchExpressions, matchFields } = fields(raw);
  const requirements = (all: unknown): NodeRequirement[] =>
    list(all)
      .filter(isFields)
      .map(({ key, operator, values }) => {
        return { key: text(key) ?? "", operator: text(operator) ?? "", values: texts(values) };
      });
  return { expressions: requirements(matchExpressions), fields: requirements(matchFields) };
}
