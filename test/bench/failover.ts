// `make bench-failover`: how long nobody answers for an address when its owner fails, for lbd and,
// side by side, for keepalived; prints a table, and with JSON=file writes the rows. RUNS=n sets how
// often each fault strikes, ROWS=kill,stop which ones do; with CLIENT=warm the client sends
// datagrams through the address instead of asking for it by ARP. Ends with 1 when a target is
// missed, or when something could not be measured.

import { writeFileSync } from "node:fs";
import { withLab } from "../lab/for-test.ts";
import type { Lab } from "../lab/lab.ts";
import { Prober } from "../lab/prober.ts";
import { keepalivedFault } from "./failover-keepalived.ts";
import { LbdContender, UDP_PORT } from "./failover-lbd.ts";
import {
  type ClientKind,
  chosenBy,
  inTurns,
  KEEPALIVED_DEFAULT,
  KEEPALIVED_FAST,
  legendFor,
  ROW_NAMES,
  rowsOf,
} from "./failover-rows.ts";
import { type Fault, runTrial, type Trial } from "./failover-trial.ts";
import { formatTable } from "./rows.ts";
import { orEndWithUsage, readChoice, readCount } from "./settings.ts";

const RUNS_DEFAULT = 10;

function onProgress(text: string): void {
  console.error(`bench: ${text}`);
}

interface Settings {
  readonly runs: number;
  readonly client: ClientKind;
  readonly rows: readonly string[];
}

function readSettings(): Settings {
  const runs = readCount(process.env, "RUNS", { unset: RUNS_DEFAULT, min: 1 });
  const client = readChoice(process.env, "CLIENT", ["cold", "warm"]);
  return { runs, client, rows: chosenBy(process.env.ROWS ?? "", ROW_NAMES[client]) };
}

/** The faults take turns: what else goes on on the machine meets all of them. */
async function measure(lab: Lab, settings: Settings): Promise<Map<string, Trial[]>> {
  const { runs, client, rows } = settings;
  onProgress("bundling, and starting the control plane and three daemons");
  const lbd = await LbdContender.start(lab, client);
  const all: Fault[] = [
    ...lbd.faults(),
    keepalivedFault(lab, KEEPALIVED_DEFAULT, 1),
    keepalivedFault(lab, KEEPALIVED_FAST, 0.1),
  ];
  const faults = all.filter(({ name }) => rows.includes(name));
  const isWarm = client === "warm";
  const prober = isWarm ? Prober.startWarm(lab, UDP_PORT) : await Prober.start(lab);
  const trials = new Map<string, Trial[]>(faults.map(({ name }) => [name, []]));
  for (let run = 1; run <= runs; run++) {
    for (const fault of inTurns(faults)) {
      const trial = await runTrial(prober, fault);
      trials.get(fault.name)?.push(trial);
      onProgress(`${run} of ${runs}, ${fault.name}: ${told(trial)}`);
      for (const line of trial.story) onProgress(`  ${line}`);
    }
  }
  prober.stop();
  return trials;
}

function told({ blackout, twoMs, owner, next, fault, spent }: Trial): string {
  const { ms, from, to, lost, both, late, pauseMs } = blackout;
  const who = owner === next ? owner.name : `${owner.name} to ${next.name}`;
  const when =
    lost === 0 ? "" : ` (+${(from - fault.at).toFixed(0)} to +${(to - fault.at).toFixed(0)})`;
  const two = both === 0 ? "" : `, ${both} answered by two`;
  const joined = twoMs === null ? "" : `, ${twoMs.toFixed(1)} ms of it after the cut`;
  const after = late === 0 ? "" : `, ${late} answers of the old owner after the new one's first`;
  const prober = `the prober paused for up to ${pauseMs.toFixed(1)} ms`;
  const seconds = spent.map((each) => (each / 1_000).toFixed(1)).join(" + ");
  const what = `${ms.toFixed(1)} ms${when}, ${who}, ${lost} unanswered${two}${joined}${after}`;
  return `${what}; ${prober}; took ${seconds} s`;
}

async function main(): Promise<void> {
  const settings = orEndWithUsage(readSettings);
  const rows = await withLab({ nodes: 3, foreignHost: true }, async (lab) => {
    const measured = rowsOf(await measure(lab, settings), settings.client);
    const missed = measured.filter(({ ok }) => !ok).map(({ name }) => name);
    // The daemons' logs and their history, for whoever wants to know why.
    if (missed.length > 0) lab.markFailed(`target missed: ${missed.join(", ")}`);
    return measured;
  });
  console.log(`${formatTable(rows)}\n${legendFor(settings.client)}`);
  const file = process.env.JSON ?? "";
  if (file !== "") writeFileSync(file, `${JSON.stringify(rows, null, 2)}\n`);
  process.exit(rows.every((row) => row.ok) ? 0 : 1);
}

await main();
