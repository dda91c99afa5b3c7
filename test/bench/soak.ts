// `make soak MINUTES=60`: three bundled daemons with a real control plane and some fifty Services,
// while Services come and go, daemons are stopped, the API server is restarted and cables are
// pulled. Prints what the daemons hold and how fast it grows, and how often addresses had no answer
// or two; with JSON=file writes the rows. SEED=n chooses what happens. Ends with 1 when memory or
// descriptors grow, or a Service was never answered for.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DaemonCluster } from "../cluster/support/daemon-cluster.ts";
import { arpProbeArguments } from "../lab/arp-probe.ts";
import { eventually } from "../lab/eventually.ts";
import { withLab } from "../lab/for-test.ts";
import type { Lab } from "../lab/lab.ts";
import { LabProgram } from "../lab/lab-program.ts";
import { startBundledCluster } from "./bundled-cluster.ts";
import { type BenchRow, formatTable } from "./rows.ts";
import { orEndWithUsage, readCount } from "./settings.ts";
import type { AnswersReport } from "./soak-answers.ts";
import { SoakConductor, type SoakProber } from "./soak-conductor.ts";
import { POOL_RANGE, planSoak, type SoakService } from "./soak-plan.ts";
import type { SoakAnswer, SoakQuestion } from "./soak-prober.ts";
import {
  answerRows,
  formatResources,
  LEGEND,
  longestWithoutAnswer,
  resourceRows,
  type SoakRow,
} from "./soak-rows.ts";

const MINUTES_DEFAULT = 60;
/** Less leaves no time for a fault. */
const MINUTES_MIN = 2;
const SEED_DEFAULT = 1;
const FILL_TIMEOUT_MS = 60_000;

const POOL = `
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: soak, namespace: metallb-system}
spec: {addresses: ["${POOL_RANGE}"]}
`;

interface Soaked {
  readonly resources: readonly SoakRow[];
  readonly answers: readonly BenchRow[];
  readonly longest: readonly string[];
  /** Addresses of Services that were never answered for. */
  readonly never: readonly string[];
}

function onProgress(text: string): void {
  console.error(`soak: ${text}`);
}

async function soak(lab: Lab, seed: number, minutes: number): Promise<Soaked> {
  const lastsMs = minutes * 60_000;
  const plan = planSoak(seed, lastsMs);
  onProgress("bundling, and starting the control plane and three daemons");
  const cluster = await startBundledCluster(lab, POOL);
  onProgress(`${plan.services.length} Services`);
  await fill(cluster, plan.services);
  const program = join(import.meta.dirname, "soak-prober.ts");
  const argv = [program, ...(await arpProbeArguments(lab.client))];
  const prober: SoakProber = new LabProgram<SoakQuestion, SoakAnswer>(lab, lab.client, argv);
  await prober.ask({ kind: "watch", addresses: plan.services.map(({ address }) => address) });
  const conductor = new SoakConductor(cluster, prober, onProgress);
  onProgress(`seed ${seed}, ${minutes} minutes; the daemon of node${plan.steady} runs throughout`);
  const startedAt = await conductor.run(plan, lastsMs);
  const report = (await prober.ask({ kind: "report" })) as AnswersReport;
  prober.end();
  const resources = resourceRows(conductor.samples.lives, `node${plan.steady}`);
  const missed = resources.filter(({ ok }) => !ok).map(({ name }) => name);
  missed.push(...report.never);
  // The daemons' logs, for whoever wants to know why.
  if (missed.length > 0) lab.markFailed(`target missed: ${missed.join(", ")}`);
  const firsts = report.firsts.filter(({ since }) => since >= startedAt);
  const answers = answerRows({ ...report, firsts }, conductor.done);
  const longest = longestWithoutAnswer(report, startedAt);
  return { resources, answers, longest, never: report.never };
}

/** Until each has an address in its status. */
async function fill(cluster: DaemonCluster, services: readonly SoakService[]): Promise<void> {
  await cluster.createServices(
    services.map(({ name, address }) => ({ name, spec: { loadBalancerIP: address } })),
  );
  const addresses = ["get", "services", "-o", "jsonpath={.items[*].status.loadBalancer.ingress}"];
  await eventually("an address for each Service", () => cluster.controlPlane.kubectl(addresses), {
    timeoutMs: FILL_TIMEOUT_MS,
    intervalMs: 500,
    until: (text) => (text.match(/"ip"/g) ?? []).length === services.length,
  });
}

async function main(): Promise<void> {
  const { minutes, seed } = orEndWithUsage(() => ({
    minutes: readCount(process.env, "MINUTES", { unset: MINUTES_DEFAULT, min: MINUTES_MIN }),
    seed: readCount(process.env, "SEED", { unset: SEED_DEFAULT, min: 0 }),
  }));
  const soaked = await withLab({ nodes: 3 }, (lab) => soak(lab, seed, minutes));
  const { resources, answers, longest, never } = soaked;
  console.log(`${formatResources(resources)}\n\n${formatTable(answers)}\n${LEGEND}`);
  console.log(`\nThe longest without an answer:\n${longest.join("\n")}`);
  if (never.length > 0) console.log(`\nNobody ever answered for ${never.join(", ")}`);
  const file = process.env.JSON ?? "";
  const told = { seed, minutes, ...soaked };
  if (file !== "") writeFileSync(file, `${JSON.stringify(told, null, 2)}\n`);
  process.exit(resources.every((row) => row.ok) && never.length === 0 ? 0 : 1);
}

await main();
