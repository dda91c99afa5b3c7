// `make bench`: measures, prints a table, and with JSON=file writes the rows. RUNS=n sets the
// number of rounds and of Services; ONLY=arp, ndp, daemon or links measures a part. Ends with 1
// when a target is missed. The figures mean something on a machine that does nothing else.

import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { withLab } from "../lab/for-test.ts";
import { arpRows } from "./arp.ts";
import { daemonRows } from "./daemon.ts";
import { linksRows } from "./links.ts";
import { ndpRows } from "./ndp.ts";
import { type BenchRow, formatTable, LEGEND } from "./rows.ts";
import { orEndWithUsage, readChoice, readCount } from "./settings.ts";

const ROOT = join(import.meta.dirname, "../..");
const ROUNDS_DEFAULT = 20;
/** Each takes ten seconds. */
const LINKS_ROUNDS_MAX = 10;
/** "service to answer" is never made of fewer. */
const SERVICES_MIN = 20;

function buildPrograms(): string {
  const { status, stdout } = spawnSync(join(ROOT, "scripts/build-bench.sh"), {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0) throw new Error("Cannot build the bench programs");
  return stdout.trim();
}

async function main(): Promise<void> {
  const { runs, only } = orEndWithUsage(() => ({
    runs: readCount(process.env, "RUNS", { unset: ROUNDS_DEFAULT, min: 1 }),
    only: readChoice(process.env, "ONLY", ["all", "arp", "ndp", "daemon", "links"]),
  }));
  const onProgress = (text: string) => console.error(`bench: ${text}`);
  const rows: BenchRow[] = [];
  const isWanted = (part: string): boolean => only === "all" || only === part;
  const answers = { arp: arpRows, ndp: ndpRows };
  for (const [part, rowsOf] of Object.entries(answers)) {
    if (!isWanted(part)) continue;
    const options = { programs: buildPrograms(), rounds: runs, onProgress };
    rows.push(...(await withLab({ nodes: 1 }, (lab) => rowsOf(lab, options))));
  }
  if (isWanted("daemon")) {
    const options = { services: Math.max(runs, SERVICES_MIN), onProgress };
    rows.push(...(await withLab({ nodes: 3 }, (lab) => daemonRows(lab, options))));
  }
  if (isWanted("links")) {
    const options = { rounds: Math.min(runs, LINKS_ROUNDS_MAX), onProgress };
    rows.push(...(await withLab({ nodes: 3 }, (lab) => linksRows(lab, options))));
  }
  console.log(`${formatTable(rows)}\n${LEGEND}`);
  const file = process.env.JSON ?? "";
  if (file !== "") writeFileSync(file, `${JSON.stringify(rows, null, 2)}\n`);
  process.exit(rows.every((row) => row.ok) ? 0 : 1);
}

await main();
