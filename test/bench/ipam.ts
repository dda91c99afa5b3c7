// `make bench-ipam`: what thousands of Services take, against a real API server and three bundled
// daemons; prints a table, and with JSON=file writes the rows. SERVICES=n, RUNS=n, ROWS=name,name
// as in scripts/bench-ipam.sh. Ends with 1 when a target is missed.

import { writeFileSync } from "node:fs";
import { bundle } from "../../scripts/bundle.ts";
import { withLab } from "../lab/for-test.ts";
import { DIST } from "./bundled-cluster.ts";
import { IPAM_LEGEND, type IpamSettings, readIpamSettings } from "./ipam-rows.ts";
import { IpamStage } from "./ipam-stage.ts";
import { type BenchRow, formatTable } from "./rows.ts";
import { orEndWithUsage } from "./settings.ts";

function onProgress(text: string): void {
  console.error(`bench: ${text}`);
}

async function measure(stage: IpamStage, { rows, runs }: IpamSettings): Promise<BenchRow[]> {
  const isWanted = (name: string): boolean => rows.includes(name);
  // All others need what it leaves behind.
  const first = await stage.firstAllocation();
  const measured = isWanted("first allocation") ? first : [];
  if (isWanted("idle")) measured.push(...(await stage.idle()));
  if (isWanted("service to answer")) measured.push(...(await stage.serviceToAnswer(runs)));
  if (isWanted("cold start")) measured.push(await stage.coldStart());
  return measured;
}

async function main(): Promise<void> {
  const settings = orEndWithUsage(() => readIpamSettings(process.env));
  onProgress("bundling, and starting the control plane");
  await bundle(DIST);
  const rows = await withLab({ nodes: 3 }, async (lab) => {
    const stage = await IpamStage.start(lab, settings.services, onProgress);
    const measured = await measure(stage, settings);
    const missed = measured.filter(({ ok }) => !ok).map(({ name }) => name);
    if (missed.length > 0) lab.markFailed(`target missed: ${missed.join(", ")}`);
    return measured;
  });
  console.log(`${settings.services} Services\n${formatTable(rows)}\n${IPAM_LEGEND}`);
  const file = process.env.JSON ?? "";
  if (file !== "") writeFileSync(file, `${JSON.stringify(rows, null, 2)}\n`);
  process.exit(rows.every((row) => row.ok) ? 0 : 1);
}

await main();
