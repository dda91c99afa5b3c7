// From the creation of a Service to the first ARP answer for its address, one Service after the
// other, with the API's own share of each.

import { join } from "node:path";
import { arpProbeArguments } from "../lab/arp-probe.ts";
import type { Lab } from "../lab/lab.ts";
import { LabProgram } from "../lab/lab-program.ts";
import type { Answered, Ask } from "./arp-asker.ts";
import { type BenchRow, compared, figuresOf, information } from "./rows.ts";
import type { Created, MakerQuestion } from "./service-maker.ts";

const ANSWER_TIMEOUT_MS = 10_000;
const ANSWER_TARGET_MS = 100;

export interface Measured {
  readonly totalMs: number;
  readonly created: Created;
}

export interface AnswersPlan {
  readonly services: number;
  /** The address that Service `i` asks for, which nobody has. */
  readonly addressOf: (i: number) => string;
  readonly onProgress: (text: string) => void;
}

export async function measureServices(
  lab: Lab,
  maker: LabProgram<MakerQuestion, unknown>,
  { services, addressOf, onProgress }: AnswersPlan,
): Promise<Measured[]> {
  const program = join(import.meta.dirname, "arp-asker.ts");
  const argv = [program, ...(await arpProbeArguments(lab.client))];
  const asker = new LabProgram<Ask, Answered>(lab, lab.client, argv);
  const measured: Measured[] = [];
  // The first one is for warming up.
  for (let i = 0; i <= services; i++) {
    onProgress(`Service ${i} of ${services}`);
    const address = addressOf(i);
    const answer = asker.ask({ address, timeoutMs: ANSWER_TIMEOUT_MS });
    const created = (await maker.ask({ kind: "create", name: `bench-${i}`, address })) as Created;
    const answeredAt = await answer;
    if (answeredAt === null) throw new Error(`Nobody answered for ${address}`);
    if (i > 0) measured.push({ totalMs: answeredAt - created.calledAt, created });
  }
  asker.end();
  return measured;
}

export function serviceRows(measured: readonly Measured[]): BenchRow[] {
  const runs = measured.length;
  const api = measured.map(({ created }) => created.createToWatchMs + created.patchToWatchMs);
  const beyond = measured.map(({ totalMs }, i) => totalMs - (api[i] ?? 0));
  const row = (name: string, values: readonly number[]): BenchRow =>
    information(name, "ms", { figures: figuresOf(values), runs });
  const share = row("service to answer: the API's own share", api);
  const answer = row("service to answer", beyond);
  const isMet = answer.p99 <= ANSWER_TARGET_MS;
  const target = `p99 <= ${ANSWER_TARGET_MS} ms beyond the API`;
  return [
    compared(answer, { baseline: share.p50, target, isMet: () => isMet }),
    share,
    row(
      "service to answer: all of it",
      measured.map(({ totalMs }) => totalMs),
    ),
  ];
}
