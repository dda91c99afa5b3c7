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
/** An address that was asked for was not probed ahead of need (RFC 5227 section 2.1.1). */
const PROBE_MS = 200;

export interface Measured {
  readonly totalMs: number;
  readonly created: Created;
}

export interface AnswersPlan {
  readonly services: number;
  /** The address that Service `i` gets, which nobody has. */
  readonly addressOf: (i: number) => string;
  /** Whether it asks for it: nobody has probed it then. Otherwise it is the next one. */
  readonly isRequested: boolean;
  readonly onProgress: (text: string) => void;
}

export async function measureServices(
  lab: Lab,
  maker: LabProgram<MakerQuestion, unknown>,
  { services, addressOf, isRequested, onProgress }: AnswersPlan,
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
    const name = `bench-${isRequested ? "asks" : "takes"}-${i}`;
    const requested = isRequested ? address : null;
    const created = (await maker.ask({ kind: "create", name, requested })) as Created;
    const answeredAt = await answer;
    if (answeredAt === null) throw new Error(`Nobody answered for ${address}`);
    if (i > 0) measured.push({ totalMs: answeredAt - created.calledAt, created });
  }
  asker.end();
  return measured;
}

export function serviceRows(
  measured: readonly Measured[],
  { isRequested }: Pick<AnswersPlan, "isRequested">,
): BenchRow[] {
  const title = isRequested ? "requested service to answer" : "service to answer";
  const targetMs = ANSWER_TARGET_MS + (isRequested ? PROBE_MS : 0);
  const runs = measured.length;
  const api = measured.map(({ created }) => created.createToWatchMs + created.patchToWatchMs);
  const beyond = measured.map(({ totalMs }, i) => totalMs - (api[i] ?? 0));
  const row = (name: string, values: readonly number[]): BenchRow =>
    information(name, "ms", { figures: figuresOf(values), runs });
  const share = row(`${title}: the API's own share`, api);
  const answer = row(title, beyond);
  const isMet = answer.p99 <= targetMs;
  const target = `p99 <= ${targetMs} ms beyond the API`;
  return [
    compared(answer, { baseline: share.p50, target, isMet: () => isMet }),
    share,
    row(
      `${title}: all of it`,
      measured.map(({ totalMs }) => totalMs),
    ),
  ];
}
