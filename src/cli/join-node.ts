// The work of lbctl join: by an administrator's kubeconfig, or by credentials that were made where
// there is one.

import { AppError } from "../core/errors.ts";
import { nodeAccount } from "../core/node-account.ts";
import { Cluster } from "../join/cluster.ts";
import { checkWritable } from "../join/host.ts";
import { isLoopback, kubeconfigText } from "../join/kubeconfig-text.ts";
import { type Kubeconfig, parseKubeconfig } from "../k8s-sync/kubeconfig.ts";
import { tokenClaims } from "../k8s-sync/service-account-token.ts";
import { reached } from "./admin-kubeconfig.ts";
import {
  type BootstrapOptions,
  enrol,
  kindOf,
  lifeOf,
  nodeNameOf,
  showJoined,
} from "./bootstrap-node.ts";
import { wallClock } from "./clock.ts";
import type { Context } from "./context.ts";
import {
  applyAll,
  checkBootstrapped,
  checkCluster,
  checkRights,
  nodeKubeconfig,
  openAdmin,
  planFor,
} from "./enrol.ts";
import { readInput } from "./input.ts";
import { type Step, stepLines } from "./join-steps.ts";
import { nodeSettings } from "./node-settings.ts";
import { installToken, TOKEN_LIFE_SECONDS } from "./put-credentials.ts";

export interface JoinOptions extends BootstrapOptions {
  readonly print?: string;
}

const COMMAND = "sudo lbctl join --kubeconfig admin.conf";

export async function join(
  file: string | undefined,
  options: JoinOptions,
  context: Context,
): Promise<void> {
  if (options.print !== undefined) return print(options.print, options, context);
  const settings = nodeSettings(options.config);
  checkWritable(settings, COMMAND);
  if (file !== undefined) return joinFrom(file, options, context);
  const node = nodeNameOf(options.node, settings);
  const admin = await openAdmin(options, settings);
  try {
    await checkBootstrapped(admin, settings);
    const plan = planFor(node, settings, { kind: kindOf(options), all: false });
    await enrol(admin, plan, { options, context, what: "join" });
  } finally {
    await admin.cluster.close();
  }
}

/** The credentials go to stdout, what was done to stderr. */
async function print(node: string, options: JoinOptions, context: Context): Promise<void> {
  if (options.certificate === true) {
    throw new AppError("USAGE", "Cannot print a client certificate: its key stays on its node");
  }
  const settings = nodeSettings(options.config);
  const life = lifeOf(options) ?? TOKEN_LIFE_SECONDS;
  const admin = await openAdmin(options, settings);
  try {
    if (isLoopback(admin.server)) {
      const message =
        `Cannot print credentials for "${node}": "${admin.server}" is this very host, which is ` +
        "another one there; name the API server with --server https://HOST:6443";
      throw new AppError("USAGE", message);
    }
    await checkBootstrapped(admin, settings);
    const plan = planFor(node, settings, { kind: "token", all: false });
    await checkRights(admin, plan, "join");
    const steps: Step[] = [];
    await applyAll(admin, plan, steps);
    for (const line of stepLines(steps)) context.say(line);
    const token = await admin.cluster.token(node, settings.systemNamespace, life);
    const about = nodeKubeconfig(admin.kubeconfig, plan);
    process.stdout.write(kubeconfigText({ ...about, credentials: { token } }));
  } finally {
    await admin.cluster.close();
  }
}

async function joinFrom(file: string, options: JoinOptions, context: Context): Promise<void> {
  const settings = nodeSettings(options.config);
  const node = nodeNameOf(options.node, settings);
  const kubeconfig = await credentialsIn(file, settings.allowInsecureApi);
  const token = tokenOf(kubeconfig, node);
  const cluster = new Cluster(kubeconfig);
  try {
    const uid = await cluster.uid();
    await checkCluster(uid, settings, context.client);
    const steps: Step[] = [];
    installToken(nodeKubeconfig(kubeconfig, { node, settings }), token, { settings, steps });
    const server = kubeconfig.origin + kubeconfig.basePath;
    await showJoined(context, { node, admin: { server, uid }, steps, notices: [] });
  } finally {
    await cluster.close();
  }
}

function credentialsIn(file: string, allowInsecure: boolean): Promise<Kubeconfig> {
  const text = readInput(file);
  return reached(() => parseKubeconfig(text, file, { now: wallClock(), allowInsecure }));
}

function tokenOf({ token, path }: Kubeconfig, node: string): string {
  const text = token?.kind === "fixed" ? token.token : "";
  const account = tokenClaims(text)?.account ?? null;
  if (account === nodeAccount(node)) return text;
  const whose = account === null ? "are not those of a node" : `are those of account "${account}"`;
  const message =
    `Cannot join as "${node}": the credentials in "${path}" ${whose}; ` +
    `make them with "lbctl join --print ${node}"`;
  throw new AppError("REFUSED", message);
}
