// lbctl import metallb: what a cluster has of MetalLB, what is in the way, and how to come over.
// With the administrator's kubeconfig: the daemon's may not read most of it, and change none.

import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import type { PlannedServiceView } from "../../api/plan-view.ts";
import { AppError } from "../../core/errors.ts";
import type { ImportPlan } from "../../migration/import-plan.ts";
import type { MetallbCluster } from "../../migration/metallb-cluster.ts";
import { wallClock } from "../clock.ts";
import type { Context, MakeContext } from "../context.ts";
import { importText } from "../import-text.ts";

const ADMIN_KUBECONFIG = "/etc/kubernetes/admin.conf";
const HELP = `
Nothing is changed without --apply. With it, what does no harm is done, as
often as you like: CRDs of Helm are annotated to be kept, and a webhook is
removed when all of what it asks is gone. The rest is printed as commands, to
be run one by one.
Exit status: 0 nothing is in the way, 1 something is, or could not be read.`;

interface Options {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace: string;
  readonly apply?: boolean;
}

/** What has been read, and what was done about it. */
export interface ImportView extends ImportPlan {
  /** What --apply did or could not do, one a line. */
  readonly done: readonly string[];
  /** Whether each Service keeps its address, as the daemon says; null: it cannot be asked. */
  readonly allocations: Allocations | null;
}

export interface Allocations {
  readonly keeping: number;
  readonly others: readonly PlannedServiceView[];
}

export function addImport(program: Command, context: MakeContext): void {
  const group = program.command("import").description("Coming to lbd from something else");
  group
    .command("metallb")
    .description("What the cluster has of MetalLB, the traps, and the way over and back")
    .option("--kubeconfig <file>", "of an administrator; default: KUBECONFIG, or kubectl's own")
    .option("--context <name>", "of the kubeconfig")
    .option("-n, --namespace <name>", "where MetalLB is", "metallb-system")
    .option("--dry-run", "only look, which is the default")
    .option("--apply", "do what does no harm")
    .addHelpText("after", HELP)
    .action((options: Options, command: Command) => importMetallb(options, context(command)));
}

async function importMetallb(options: Options, context: Context): Promise<void> {
  const { show, say, exitWith } = context;
  // lbctl's other commands do not wait for a client of the Kubernetes API.
  const [{ MetallbCluster }, { importPlan }] = await Promise.all([
    import("../../migration/metallb-cluster.ts"),
    import("../../migration/import-plan.ts"),
  ]);
  const { namespace, context: name } = options;
  const kubeconfig = options.kubeconfig ?? kubeconfigOf(process.env.KUBECONFIG);
  const about = { kubeconfig, namespace, now: wallClock() };
  const cluster = await reached(
    () => new MetallbCluster({ ...about, ...(name === undefined ? {} : { context: name }) }),
  );
  try {
    const plan = importPlan(await reached(() => cluster.read()));
    const done = options.apply === true ? await applyAll(cluster, plan) : [];
    const allocations = await allocationsOf(context);
    for (const message of plan.unread) say(message);
    show({ schema: "lbd/v1", item: { ...plan, done, allocations } }, importText);
    const isClear = plan.traps.length + plan.unread.length === 0;
    exitWith(isClear && (allocations?.others.length ?? 0) === 0 ? 0 : 1);
  } finally {
    await cluster.close();
  }
}

/** The exit statuses of lbctl are fewer than those of the daemon. */
async function reached<T>(act: () => T | Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    const code = thrown.code === "API_UNREACHABLE" ? "DAEMON_UNREACHABLE" : "USAGE";
    throw new AppError(code, thrown.message, { cause: thrown });
  }
}

/** As kubectl finds it; on a control plane that has none, kubeadm's. */
function kubeconfigOf(fromEnvironment = ""): string {
  const [first = ""] = fromEnvironment.split(":");
  if (first !== "") return first;
  const own = join(homedir(), ".kube", "config");
  if (existsSync(own)) return own;
  if (existsSync(ADMIN_KUBECONFIG)) return ADMIN_KUBECONFIG;
  const message = 'Cannot find a kubeconfig: name one with "--kubeconfig", or set KUBECONFIG';
  throw new AppError("USAGE", message);
}

async function applyAll(cluster: MetallbCluster, { traps }: ImportPlan): Promise<string[]> {
  const done: string[] = [];
  for (const remedy of traps.flatMap(({ remedies }) => remedies)) {
    const failure = await cluster.apply(remedy);
    const what = remedy.type === "keep-definition" ? "CRD kept:" : "webhook removed:";
    done.push(failure === null ? `${what} ${remedy.name}` : `not done: ${failure}`);
  }
  return done;
}

/** The daemon has the allocator: a plan that changes nothing shows what it would leave. */
async function allocationsOf({ client, say }: Context): Promise<Allocations | null> {
  try {
    const files = [{ name: "nothing", text: "" }];
    const { item } = await client.post("/v1/plan/config", { files, replace: false });
    const others = item.services.filter(({ change }) => change === "moves" || change === "loses");
    return { keeping: item.summary.keeps, others };
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    say(`whether Services keep their addresses cannot be told: ${thrown.message}`);
    return null;
  }
}
