// lbctl import metallb: what a cluster has of MetalLB, what is in the way, and how to come over.
// With the administrator's kubeconfig: the daemon's may not read most of it, and change none.

import type { Command } from "commander";
import type { PlannedServiceView } from "../../api/plan-view.ts";
import { AppError } from "../../core/errors.ts";
import type { adminClient } from "../../migration/admin-client.ts";
import type { ImportPlan } from "../../migration/import-plan.ts";
import type { MetallbCluster } from "../../migration/metallb-cluster.ts";
import type { Direction } from "../../migration/takeover-texts.ts";
import type { Remedy } from "../../migration/traps.ts";
import { adminKubeconfig, reached } from "../admin-kubeconfig.ts";
import { bootClock, wallClock } from "../clock.ts";
import type { Context, MakeContext } from "../context.ts";
import { importText } from "../import-text.ts";

const HELP = `
Nothing is changed without --apply, --take-over or --roll-back. With --apply,
what does no harm is done, as often as you like: CRDs of Helm are annotated to
be kept, and a webhook is removed when all of what it asks is gone.
--take-over keeps the CRDs, scales MetalLB's controller to 0, and lets lbd
answer on one node after the other in place of its speaker. --roll-back takes
all of it back, to what it was. Both go on where they were when they are run
again; with --dry-run they only say what is ahead.
Exit status: 0 nothing is in the way, 1 something is, or could not be read;
5 refused, with what to do first; 6 something did not come in time.`;
const SYSTEM_NAMESPACE = "lbd-system";

interface Options {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace: string;
  readonly apply?: boolean;
  readonly dryRun?: boolean;
  readonly takeOver?: boolean;
  readonly rollBack?: boolean;
  readonly node?: readonly string[];
  readonly systemNamespace: string;
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
    .option("--take-over", "go over to lbd, node by node")
    .option("--roll-back", "go back to MetalLB, node by node")
    .option("--node <name...>", "with those two: of these nodes only")
    .option("--system-namespace <name>", "where lbd has its Leases", SYSTEM_NAMESPACE)
    .addHelpText("after", HELP)
    .action((options: Options, command: Command) => importMetallb(options, context(command)));
}

async function importMetallb(options: Options, context: Context): Promise<void> {
  const direction = directionOf(options);
  // lbctl's other commands do not wait for a client of the Kubernetes API.
  const [{ adminClient }, { MetallbCluster }] = await Promise.all([
    import("../../migration/admin-client.ts"),
    import("../../migration/metallb-cluster.ts"),
  ]);
  const { namespace, context: name } = options;
  const kubeconfig = options.kubeconfig ?? adminKubeconfig(process.env.KUBECONFIG);
  const about = { kubeconfig, now: wallClock() };
  const client = await reached(() =>
    adminClient({ ...about, ...(name === undefined ? {} : { context: name }) }),
  );
  const metallb = new MetallbCluster(client, namespace);
  try {
    if (direction === null) await look(metallb, options, context);
    else await reached(() => move(direction, { client, metallb, options }, context));
  } finally {
    await client.close();
  }
}

/** Null: it only looks, or does what does no harm. Throws AppError USAGE. */
function directionOf({ takeOver, rollBack, apply, node }: Options): Direction | null {
  const asked = [takeOver, rollBack, apply].filter((given) => given === true);
  if (asked.length > 1) {
    throw new AppError("USAGE", "Cannot do both: one of --apply, --take-over and --roll-back");
  }
  if (takeOver === true) return "over";
  if (rollBack === true) return "back";
  if (node === undefined) return null;
  throw new AppError("USAGE", 'Cannot use "--node": it goes with --take-over or --roll-back');
}

async function look(cluster: MetallbCluster, options: Options, context: Context): Promise<void> {
  const { show, say, exitWith } = context;
  const { importPlan } = await import("../../migration/import-plan.ts");
  const plan = importPlan(await reached(() => cluster.read()));
  const remedies = plan.traps.flatMap((trap) => trap.remedies);
  const isApplied = options.apply === true && options.dryRun !== true;
  const done = isApplied ? await applyAll(cluster, remedies) : [];
  const allocations = await allocationsOf(context);
  for (const message of plan.unread) say(message);
  show({ schema: "lbd/v1", item: { ...plan, done, allocations } }, importText);
  const isClear = plan.traps.length + plan.unread.length === 0;
  exitWith(isClear && (allocations?.others.length ?? 0) === 0 ? 0 : 1);
}

interface Parts {
  readonly client: ReturnType<typeof adminClient>;
  readonly metallb: MetallbCluster;
  readonly options: Options;
}

/** The way over, or back. On the way back nothing is asked first, as nothing is lost by it. */
async function move(direction: Direction, parts: Parts, context: Context): Promise<void> {
  const { client, metallb, options } = parts;
  const { namespace, systemNamespace, dryRun: isDryRun = false } = options;
  const [{ TakeoverCluster }, { takeOver }, { importPlan }, { objections }] = await Promise.all([
    import("../../migration/takeover-cluster.ts"),
    import("./import-takeover.ts"),
    import("../../migration/import-plan.ts"),
    import("../../migration/objections.ts"),
  ]);
  const clock = { wall: wallClock, boot: bootClock };
  const cluster = new TakeoverCluster({ client, namespace, systemNamespace, clock });
  const request = { direction, nodes: options.node ?? null, isDryRun };
  if (direction === "back") return takeOver(cluster, { ...request, objections: [] }, context);
  const plan = importPlan(await metallb.read());
  const allocations = await allocationsOf(context);
  const against = objections(plan, allocations?.others.map(({ service }) => service) ?? null);
  if (against.length === 0 && !isDryRun) {
    const isHarmless = ({ type }: Remedy): boolean => type === "keep-definition";
    const remedies = plan.traps.flatMap((trap) => trap.remedies).filter(isHarmless);
    for (const line of await applyAll(metallb, remedies)) context.say(line);
  }
  return takeOver(cluster, { ...request, objections: against }, context);
}

async function applyAll(cluster: MetallbCluster, remedies: readonly Remedy[]): Promise<string[]> {
  const done: string[] = [];
  for (const remedy of remedies) {
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
