// The work of lbctl bootstrap, and what it has in common with lbctl join.

import { parseDuration } from "../config/duration.ts";
import type { NodeFile } from "../config/node-file.ts";
import { AppError } from "../core/errors.ts";
import { checkWritable } from "../join/host.ts";
import { isLoopback } from "../join/kubeconfig-text.ts";
import { asYaml, type CredentialKind } from "../join/objects.ts";
import { TOKEN_LIFE_SECONDS_MIN } from "../k8s-sync/token-request.ts";
import type { Context } from "./context.ts";
import {
  type Admin,
  type AdminOptions,
  applyAll,
  checkCluster,
  checkRights,
  openAdmin,
  type Plan,
  planFor,
} from "./enrol.ts";
import { isChange, joinText, type Step, stepLines } from "./join-steps.ts";
import { nodeSettings } from "./node-settings.ts";
import { putCertificate, putToken } from "./put-credentials.ts";
import { untilReachable } from "./until-reachable.ts";

export interface BootstrapOptions extends AdminOptions {
  readonly config: string;
  readonly node?: string;
  readonly tokenLife?: string;
  readonly certificate?: boolean;
  readonly dryRun?: boolean;
}

const COMMAND = "sudo lbctl bootstrap --kubeconfig admin.conf";

export async function bootstrap(options: BootstrapOptions, context: Context): Promise<void> {
  const settings = nodeSettings(options.config);
  const node = nodeNameOf(options.node, settings);
  const kind = kindOf(options);
  const plan = planFor(node, settings, { kind, all: true });
  if (options.dryRun === true) {
    process.stdout.write(asYaml(plan.objects));
    return;
  }
  checkWritable(settings, COMMAND);
  const admin = await openAdmin(options, settings);
  try {
    await enrol(admin, plan, { options, context, what: "bootstrap" });
  } finally {
    await admin.cluster.close();
  }
}

/** From the rights to the daemon that works. */
export async function enrol(
  admin: Admin,
  plan: Plan,
  about: { options: BootstrapOptions; context: Context; what: string },
): Promise<void> {
  const { options, context, what } = about;
  const { settings, node } = plan;
  const lifeSeconds = lifeOf(options);
  await checkCluster(admin.uid, settings, context.client);
  await checkRights(admin, plan, what);
  const steps: Step[] = [];
  try {
    await applyAll(admin, plan, steps);
    const putting = { steps, lifeSeconds };
    await (plan.kind === "token"
      ? putToken(admin, plan, putting)
      : putCertificate(admin, plan, steps));
  } catch (thrown) {
    for (const line of stepLines(steps.filter(isChange))) context.say(line);
    throw thrown;
  }
  await showJoined(context, { node, admin, steps, notices: noticesOf(admin.server) });
}

export async function showJoined(
  context: Context,
  joined: {
    readonly node: string;
    readonly admin: Pick<Admin, "server" | "uid">;
    readonly steps: readonly Step[];
    readonly notices: readonly string[];
  },
): Promise<void> {
  const { node, admin, steps, notices } = joined;
  const reachable = await untilReachable(context);
  const { server, uid: cluster } = admin;
  const item = { node, cluster, server, steps, notices, reachable };
  context.show({ schema: "lbd/v1" as const, item }, joinText);
  context.exitWith(reachable === false ? 1 : 0);
}

function noticesOf(server: string): string[] {
  if (!isLoopback(server)) return [];
  return [
    `"${server}" is this very host: good for this node; for others use ` +
      "lbctl join --server https://HOST:6443",
  ];
}

export function kindOf({ certificate = false }: BootstrapOptions): CredentialKind {
  return certificate ? "certificate" : "token";
}

/** Null: not asked for. Throws AppError USAGE. */
export function lifeOf({ tokenLife }: BootstrapOptions): number | null {
  if (tokenLife === undefined) return null;
  const seconds = (parseDuration(tokenLife) ?? 0) / 1_000;
  if (seconds >= TOKEN_LIFE_SECONDS_MIN) return seconds;
  const message = `Cannot use --token-life "${tokenLife}": expected 10m at least, as in 1h or 24h`;
  throw new AppError("USAGE", message);
}

const NODE_NAME = /^[a-z0-9]([-a-z0-9.]{0,229}[a-z0-9])?$/;

/** Throws AppError USAGE. */
export function nodeNameOf(wanted: string | undefined, settings: NodeFile): string {
  const node = wanted ?? settings.nodeName;
  if (!NODE_NAME.test(node)) {
    const message = `Cannot use the node name "${node}": expected that of a Node, lower case`;
    throw new AppError("USAGE", message);
  }
  if (node === settings.nodeName) return node;
  const message =
    `Cannot join as "${node}": the daemon of this host is "${settings.nodeName}"; ` +
    "set nodeName in the node file";
  throw new AppError("USAGE", message);
}
