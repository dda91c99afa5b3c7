// Runs on the client: asks for all addresses that it is told of, ten times a second each, and
// keeps account of who answers. With a real-time priority: a busy machine must not look like an
// address without an answer.

import { bootTimeMs, setRealtimePriority } from "../../native/index.ts";
import { openArpProbe } from "../lab/arp-probe.ts";
import { serve } from "../lab/lab-program.ts";
import { type AnswersReport, SoakAnswers } from "./soak-answers.ts";

export type SoakQuestion =
  | { readonly kind: "watch" | "unwatch"; readonly addresses: readonly string[] }
  /** Answered with what was seen; the last question. */
  | { readonly kind: "report" };

export type SoakAnswer = AnswersReport | null;

const EVERY_MS = 100;
/** Below lbd's own. */
const REALTIME_PRIORITY = 1;

const answers = new SoakAnswers();
const probe = openArpProbe(process.argv.slice(2), ({ address, mac, at }) => {
  answers.answer(address, mac, at);
});
const refused = setRealtimePriority(REALTIME_PRIORITY);
if (refused !== null) throw new Error(`The prober got no real-time priority: ${refused}`);
// When the process itself was late, answers wait in the socket, which is read before immediates.
setInterval(() => setImmediate(askForAll), EVERY_MS);

function askForAll(): void {
  answers.round(bootTimeMs());
  for (const address of answers.addresses) probe.request(address);
}

serve(async (question: SoakQuestion): Promise<SoakAnswer> => {
  const now = bootTimeMs();
  if (question.kind === "report") return answers.report(now);
  for (const address of question.addresses) answers[question.kind](address, now);
  return null;
});
