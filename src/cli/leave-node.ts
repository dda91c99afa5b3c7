// The work of lbctl leave, in an order in which every step can be run again after it failed.

import type { NodeFile } from "../config/node-file.ts";
import { AppError, errorText } from "../core/errors.ts";
import { Cluster } from "../join/cluster.ts";
import { checkWritable, removeFile, tokenFileOf } from "../join/host.ts";
import { type ApiObject, labelOf, nodeLease, nodeObjects, typeOf } from "../join/objects.ts";
import { loadKubeconfig } from "../k8s-sync/kubeconfig.ts";
import { wallClock } from "./clock.ts";
import { drainText } from "./commands/drain.ts";
import type { Context } from "./context.ts";
import { type AdminOptions, checkCluster, openAdmin } from "./enrol.ts";
import { type Step, stepLines } from "./join-steps.ts";
import { nodeSettings } from "./node-settings.ts";
import { stopUnit } from "./stop-daemon.ts";
import { lookUntil, millisecondsOf } from "./until.ts";

export interface LeaveOptions extends AdminOptions {
  readonly config: string;
  readonly force?: boolean;
  readonly timeout: string;
}

const COMMAND = "sudo lbctl leave";
/** The state is of this cluster: another one must not begin with it. */
const STATE_SUFFIXES = ["", "-wal", "-shm"] as const;

interface Leaving {
  readonly options: LeaveOptions;
  readonly settings: NodeFile;
  readonly context: Context;
  readonly steps: Step[];
  /** What is left to be done by somebody else. */
  readonly left: string[];
}

export async function leave(options: LeaveOptions, context: Context): Promise<void> {
  const settings = nodeSettings(options.config);
  checkWritable(settings, COMMAND);
  const leaving: Leaving = { options, settings, context, steps: [], left: [] };
  try {
    const away = await openToRemove(leaving);
    try {
      if (!(await isDrained(leaving))) return context.exitWith(1);
      await stop(leaving);
      await removeFromCluster(leaving, away);
    } finally {
      await away.cluster?.close();
    }
    removeFiles(leaving);
  } catch (thrown) {
    for (const line of stepLines(leaving.steps)) context.say(line);
    throw thrown;
  }
  const { nodeName: node } = settings;
  const { steps, left } = leaving;
  context.show({ schema: "lbd/v1" as const, item: { node, steps, left } }, leaveText);
}

function leaveText({ item }: { item: { node: string; steps: readonly Step[]; left: string[] } }) {
  const { node, steps, left } = item;
  const lines = [...stepLines(steps), `${node} has left the cluster`];
  if (left.length > 0) lines.push("left to an administrator:", ...left.map((one) => `  ${one}`));
  return `${lines.join("\n")}\n`;
}

interface Away {
  /** Null: nobody can be asked, which --force allows. */
  readonly cluster: Cluster | null;
  readonly isAdmin: boolean;
}

/** Before anything is done: whether the cluster can be asked, and is the right one. */
async function openToRemove(leaving: Leaving): Promise<Away> {
  const { options, settings, context } = leaving;
  const isAdmin = options.kubeconfig !== undefined;
  let cluster: Cluster | null = null;
  try {
    cluster = isAdmin ? (await openAdmin(options, settings)).cluster : ownCluster(settings);
    await checkCluster(await cluster.uid(), settings, context.client);
    return { cluster, isAdmin };
  } catch (thrown) {
    await cluster?.close();
    if (options.force !== true || !(thrown instanceof AppError)) throw withForce(thrown);
    context.say(`the cluster is left as it is: ${thrown.message}`);
    return { cluster: null, isAdmin };
  }
}

/** As the node itself. */
function ownCluster(settings: NodeFile): Cluster {
  const { kubeconfigContext: context, allowInsecureApi: allowInsecure } = settings;
  const named = context === undefined ? {} : { context };
  try {
    const about = { now: wallClock(), allowInsecure, ...named };
    return new Cluster(loadKubeconfig(settings.kubeconfig, about));
  } catch (thrown) {
    throw new AppError("REFUSED", errorText(thrown), { cause: thrown });
  }
}

function withForce(thrown: unknown): unknown {
  if (!(thrown instanceof AppError)) return thrown;
  const message = `${thrown.message}; "lbctl leave --force" leaves without the cluster`;
  return new AppError(thrown.code, message, { cause: thrown });
}

async function isDrained({ options, context, steps }: Leaving): Promise<boolean> {
  const { client } = context;
  const { force = false, timeout } = options;
  const timeoutMs = millisecondsOf(timeout);
  if (timeoutMs === null) {
    throw new AppError("USAGE", `Cannot use --timeout "${timeout}": expected seconds`);
  }
  if (!(await isRunning(context))) return true;
  await client.post("/v1/drain", { force });
  const look = () => client.get("/v1/drain");
  const answer = await lookUntil(look, ({ item }) => item.remaining.length === 0, timeoutMs);
  if (answer.item.remaining.length === 0) {
    steps.push({ change: "changed", what: "drained: no address is left here" });
    return true;
  }
  context.say(drainText(answer).trimEnd());
  if (!force) context.say('nothing was removed; "lbctl leave --force" goes on all the same');
  return force;
}

async function stop({ options, context, steps }: Leaving): Promise<void> {
  if (stopUnit()) steps.push({ change: "changed", what: "lbd.service is stopped" });
  if (!(await isRunning(context))) return;
  const message =
    "Cannot go on: a daemon answers on the socket that systemd does not run; end it (SIGTERM), " +
    `then run "${COMMAND}${options.force === true ? " --force" : ""}" again`;
  throw new AppError("REFUSED", message);
}

async function isRunning({ client }: Context): Promise<boolean> {
  try {
    await client.get("/v1/drain");
    return true;
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === "DAEMON_UNREACHABLE") return false;
    throw thrown;
  }
}

/** The account last but one: with it go the rights of whoever removes it. */
async function removeFromCluster(leaving: Leaving, { cluster, isAdmin }: Away): Promise<void> {
  const { settings, steps, left } = leaving;
  const lease = nodeLease(settings.nodeName, settings);
  const account = nodeObjects(settings.nodeName, settings, "token").toReversed();
  const mine = cluster === null ? [] : isAdmin ? [lease, ...account] : [lease];
  for (const object of mine) {
    const isRemoved = await cluster?.remove(object);
    steps.push({ change: isRemoved === true ? "removed" : "absent", what: labelOf(object) });
  }
  const others = [lease, ...account].filter((object) => !mine.includes(object));
  left.push(...others.map(deleteCommand));
}

function deleteCommand(object: ApiObject): string {
  const { name, namespace } = object.metadata;
  const where = namespace === undefined ? "" : ` -n ${namespace}`;
  return `kubectl delete ${typeOf(object)} ${name}${where}`;
}

function removeFiles({ settings, steps }: Leaving): void {
  const { kubeconfig, stateFile } = settings;
  const state = STATE_SUFFIXES.map((suffix) => `${stateFile}${suffix}`);
  for (const path of [kubeconfig, tokenFileOf(settings), ...state]) {
    if (removeFile(path)) steps.push({ change: "removed", what: path });
  }
}
