// Answers to Neighbor Solicitations: lbd's responder thread against the kernel's own responder.

import { join } from "node:path";
import type { Lab } from "../lab/lab.ts";
import { AnsweringNode, VIP6 } from "../netns/support/answering.ts";
import { cpuMsOf } from "./process-usage.ts";
import {
  type BenchedProtocol,
  latencyAgainstKernel,
  latencyRow,
  measureResponders,
  type ResponderBenchOptions,
  rateRow,
} from "./responder-bench.ts";
import { type BenchRow, figuresOf, information } from "./rows.ts";

const KERNEL_ADDRESS = "fd00:100::c9";
const NDP: BenchedProtocol = {
  name: "ndp",
  generator: "ndp-load",
  kernelAddress: KERNEL_ADDRESS,
  kernelAddressArguments: [`${KERNEL_ADDRESS}/128`, "dev", "eth0", "nodad"],
  cAddress: null,
  vip: VIP6,
};

/** In no pool: what is asked for it is for the kernel's filter to drop. */
const OTHERS_ADDRESS = "fd00:100::e0";
const FLOOD_SECONDS = 2;
const FLOOD_CPU_PERCENT_MAX = 5;
/** Less would be no flood. */
const FLOOD_PER_SECOND_MIN = 50_000;

export async function ndpRows(lab: Lab, options: ResponderBenchOptions): Promise<BenchRow[]> {
  const rounds = await measureResponders(lab, NDP, options);
  const { lbd, kernel } = latencyAgainstKernel(NDP, rounds);
  return [
    lbd,
    kernel,
    latencyRow("ndp latency, other core", rounds, { who: "lbd", placement: "other" }),
    rateRow("ndp rate", rounds, "lbd"),
    rateRow("ndp rate of the kernel", rounds, "kernel"),
    ...(await floodRows(lab, options)),
  ];
}

/** What a flood of solicitations for addresses that are not lbd's takes of its time. */
async function floodRows(
  lab: Lab,
  { programs, onProgress }: ResponderBenchOptions,
): Promise<BenchRow[]> {
  onProgress("ndp: flood for others");
  const lbd = await AnsweringNode.start(lab, lab.node(1));
  lbd.own({ address: VIP6 });
  await lbd.settle();
  const argv = ["eth0", OTHERS_ADDRESS, "flood", String(FLOOD_SECONDS)];
  const before = cpuMsOf(lbd.pid);
  const printed = await lab.client.run([join(programs, "ndp-load"), ...argv]);
  const percent = ((cpuMsOf(lbd.pid) - before) / (FLOOD_SECONDS * 1_000)) * 100;
  await lbd.stop();
  const { perSecond } = JSON.parse(printed) as { perSecond: number };
  const one = (value: number) => ({ figures: figuresOf([value]), runs: 1 });
  const cpu = information("ndp flood for others: CPU of lbd", "%", one(percent));
  return [
    {
      ...cpu,
      target: `< ${FLOOD_CPU_PERCENT_MAX} %, its beacons included`,
      ok: percent < FLOOD_CPU_PERCENT_MAX,
    },
    {
      ...information("ndp flood for others: solicitations", "1/s", one(perSecond)),
      target: `>= ${FLOOD_PER_SECOND_MIN}/s, to be a flood`,
      ok: perSecond >= FLOOD_PER_SECOND_MIN,
    },
  ];
}
