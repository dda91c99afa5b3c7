// ARP answers: lbd's responder thread against the kernel's own responder and a C program.

import type { Lab } from "../lab/lab.ts";
import { VIP } from "../netns/support/answering.ts";
import {
  type BenchedProtocol,
  latencyAgainstKernel,
  latencyRow,
  measureResponders,
  type ResponderBenchOptions,
  rateRow,
} from "./responder-bench.ts";
import { type BenchRow, compared } from "./rows.ts";

const KERNEL_ADDRESS = "192.168.100.201";
const ARP: BenchedProtocol = {
  name: "arp",
  generator: "arp-load",
  kernelAddress: KERNEL_ADDRESS,
  kernelAddressArguments: [`${KERNEL_ADDRESS}/32`, "dev", "eth0"],
  cAddress: "192.168.100.202",
  vip: VIP,
};

const LATENCY_C_TARGET = 1.5;
const RATE_C_TARGET = 0.8;

export async function arpRows(lab: Lab, options: ResponderBenchOptions): Promise<BenchRow[]> {
  const rounds = await measureResponders(lab, ARP, options);
  const atMost = (limit: number) => (ratio: number) => ratio <= limit;
  const { lbd, kernel } = latencyAgainstKernel(ARP, rounds);
  const c = latencyRow("arp latency of the C responder", rounds, { who: "c", placement: "same" });
  const lbdOther = latencyRow("arp latency, other core", rounds, {
    who: "lbd",
    placement: "other",
  });
  const cOther = latencyRow("arp latency of the C responder, other core", rounds, {
    who: "c",
    placement: "other",
  });
  const cRate = rateRow("arp rate of the C responder", rounds, "c");
  return [
    lbd,
    compared(
      { ...lbd, name: "arp latency against C" },
      {
        baseline: c.p50,
        target: `<= ${LATENCY_C_TARGET}x C`,
        isMet: atMost(LATENCY_C_TARGET),
      },
    ),
    kernel,
    c,
    compared(lbdOther, {
      baseline: cOther.p50,
      target: `<= ${LATENCY_C_TARGET}x C`,
      isMet: atMost(LATENCY_C_TARGET),
    }),
    cOther,
    compared(rateRow("arp rate", rounds, "lbd"), {
      baseline: cRate.p50,
      target: `>= ${RATE_C_TARGET}x C`,
      isMet: (ratio) => ratio >= RATE_C_TARGET,
    }),
    cRate,
    rateRow("arp rate of the kernel", rounds, "kernel"),
  ];
}
