// How a node comes into the cluster: rights are looked at first, then the cluster gets its objects,
// then the node gets credentials, which are tried from here before they are put in place.

import type { ApiClient as DaemonApi } from "../api/client.ts";
import type { NodeFile } from "../config/node-file.ts";
import { AppError } from "../core/errors.ts";
import { CLUSTER_SETTING, nodeAccount } from "../core/node-account.ts";
import { Cluster } from "../join/cluster.ts";
import { deployTexts } from "../join/deploy-files.ts";
import { isLoopback, type NodeKubeconfig } from "../join/kubeconfig-text.ts";
import {
  type ApiObject,
  type CredentialKind,
  labelOf,
  nodeObjects,
  sharedObjects,
} from "../join/objects.ts";
import { accessText, grantedRights, rightsToGrant, rightsToJoin } from "../join/rights.ts";
import { type Kubeconfig, loadKubeconfig } from "../k8s-sync/kubeconfig.ts";
import { storedSetting } from "../store/stored-setting.ts";
import { adminKubeconfig, reached } from "./admin-kubeconfig.ts";
import { wallClock } from "./clock.ts";
import type { Step } from "./join-steps.ts";

export interface AdminOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly server?: string;
}

export interface Admin {
  readonly cluster: Cluster;
  /** With the server that was asked for. */
  readonly kubeconfig: Kubeconfig;
  readonly server: string;
  readonly uid: string;
}

/** Connects as the administrator. Throws AppError. */
export async function openAdmin(options: AdminOptions, settings: NodeFile): Promise<Admin> {
  const { context, server: wanted } = options;
  const path = options.kubeconfig ?? adminKubeconfig(process.env.KUBECONFIG);
  const named = context === undefined ? {} : { context };
  const reading = { now: wallClock(), allowInsecure: settings.allowInsecureApi, ...named };
  const loaded = await reached(() => loadKubeconfig(path, reading));
  const kubeconfig = wanted === undefined ? loaded : atServer(loaded, wanted);
  const server = kubeconfig.origin + kubeconfig.basePath;
  const cluster = new Cluster(kubeconfig);
  try {
    return { cluster, kubeconfig, server, uid: await cluster.uid() };
  } catch (thrown) {
    await cluster.close();
    throw isLoopback(server) && wanted === undefined ? withServerHint(thrown, server) : thrown;
  }
}

function atServer(kubeconfig: Kubeconfig, server: string): Kubeconfig {
  const url = URL.parse(server);
  if (url === null || url.protocol !== "https:") {
    throw new AppError("USAGE", `Cannot use --server "${server}": expected an https:// URL`);
  }
  return { ...kubeconfig, origin: url.origin, basePath: url.pathname.replace(/\/+$/, "") };
}

function withServerHint(thrown: unknown, server: string): unknown {
  if (!(thrown instanceof AppError) || thrown.code !== "DAEMON_UNREACHABLE") return thrown;
  const hint = `"${server}" is this very host; name the API server with --server https://HOST:6443`;
  return new AppError(thrown.code, `${thrown.message}; ${hint}`, { cause: thrown });
}

/** Throws AppError REFUSED when this host belongs to another cluster. */
export async function checkCluster(
  uid: string,
  settings: NodeFile,
  daemon: Pick<DaemonApi, "get">,
): Promise<void> {
  const stored =
    (await clusterOfDaemon(daemon)) ?? storedSetting(settings.stateFile, CLUSTER_SETTING);
  if (stored === null || stored === uid) return;
  const message =
    `Cannot join: this host belongs to another cluster; the UID of kube-system is "${uid}" ` +
    `there, and "${stored}" in "${settings.stateFile}"; name the kubeconfig of this host's ` +
    'cluster, or take the host out of it first: "sudo lbctl leave --force"';
  throw new AppError("REFUSED", message);
}

async function clusterOfDaemon(daemon: Pick<DaemonApi, "get">): Promise<string | null> {
  try {
    return (await daemon.get("/v1/status")).item.cluster;
  } catch {
    // It does not run, or is older: then the state file says it.
    return null;
  }
}

export interface Plan {
  readonly node: string;
  readonly kind: CredentialKind;
  readonly settings: NodeFile;
  /** To be applied, in this order. */
  readonly objects: readonly ApiObject[];
}

/** `all`: what the nodes share, too. */
export function planFor(
  node: string,
  settings: NodeFile,
  options: { kind: CredentialKind; all: boolean },
): Plan {
  const own = nodeObjects(node, settings, options.kind);
  const shared = options.all ? sharedObjects(deployTexts(), settings) : [];
  return { node, kind: options.kind, settings, objects: [...shared, ...own] };
}

/** Throws AppError REFUSED that lists all rights that are missing. */
export async function checkRights(admin: Admin, plan: Plan, what: string): Promise<void> {
  const { settings, objects, kind } = plan;
  const needed = rightsToJoin(objects, settings, kind);
  const cannotGrant = (await admin.cluster.missing(rightsToGrant())).length > 0;
  const granted = cannotGrant
    ? grantedRights([...sharedObjects(deployTexts(), settings), ...objects])
    : [];
  const missing = await admin.cluster.missing([...needed, ...granted]);
  if (missing.length === 0) return;
  const lines = missing.map((access) => `  ${accessText(access)}`);
  const message =
    `Cannot ${what} with "${admin.kubeconfig.path}": its user may not\n${lines.join("\n")}\n` +
    "nothing was changed; use an administrator's (kubeadm: /etc/kubernetes/admin.conf)";
  throw new AppError("REFUSED", message);
}

export async function applyAll(admin: Admin, plan: Plan, steps: Step[]): Promise<void> {
  for (const object of plan.objects) {
    steps.push({ change: await admin.cluster.apply(object), what: labelOf(object) });
  }
  const isDefinition = ({ kind }: ApiObject) => kind === "CustomResourceDefinition";
  await admin.cluster.established(plan.objects.filter(isDefinition));
}

/** Throws AppError REFUSED: a node's rights lead nowhere without the roles. */
export async function checkBootstrapped(admin: Admin, settings: NodeFile): Promise<void> {
  const shared = sharedObjects(deployTexts(), settings);
  const roles = shared.filter(({ kind }) => kind === "Role" || kind === "ClusterRole");
  const there = await Promise.all(roles.map((role) => admin.cluster.has(role)));
  const absent = roles.filter((_, index) => there[index] === false).map(labelOf);
  if (absent.length === 0) return;
  const next = "sudo lbctl bootstrap --kubeconfig admin.conf";
  const what = `the cluster has no ${absent.join(", no ")}`;
  const message = `Cannot join: ${what}; on one node first: ${next}`;
  throw new AppError("REFUSED", message);
}

/** What the kubeconfig of the node's daemon says beside its credentials. */
export function nodeKubeconfig(
  from: Kubeconfig,
  plan: Pick<Plan, "node" | "settings">,
): Omit<NodeKubeconfig, "credentials"> {
  const { ca, servername, insecure } = from.tls;
  return {
    context: plan.settings.kubeconfigContext ?? "lbd",
    account: nodeAccount(plan.node),
    server: from.origin + from.basePath,
    ...{ ca, servername, insecure },
  };
}

/** Whether the API server takes them, from this host, as those of the right cluster. */
export async function tryCredentials(kubeconfig: Kubeconfig, uid: string): Promise<void> {
  const cluster = new Cluster(kubeconfig);
  try {
    const found = await cluster.uid();
    if (found === uid) return;
    const message = `Cannot use "${kubeconfig.origin}": its cluster is "${found}", not "${uid}"`;
    throw new AppError("REFUSED", message);
  } finally {
    await cluster.close();
  }
}
