// lbctl top: how much this node and its peers do, second by second.

import { setTimeout as sleep } from "node:timers/promises";
import { type Command, InvalidArgumentError } from "commander";
import type { NodeView, StatusView } from "../../api/types.ts";
import type { BootMs } from "../../core/time.ts";
import { isAway } from "../away.ts";
import { bootClock } from "../clock.ts";
import type { Context, MakeContext } from "../context.ts";
import { formatTable } from "../table.ts";
import { clearing, healthColored } from "../terminal.ts";

const EVERY_MS = 1_000;

interface Sample {
  readonly at: BootMs;
  readonly status: StatusView;
  readonly nodes: readonly NodeView[];
}

export function addTop(program: Command, context: MakeContext): void {
  program
    .command("top")
    .description("What this node does a second, and how its peers are, until interrupted")
    .option("-n, --count <times>", "end after so many seconds", countOf)
    .action((options: { count?: number }, command: Command) =>
      top(options.count ?? Number.POSITIVE_INFINITY, context(command)),
    );
}

function countOf(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Expected how often, 1 or more.");
}

async function top(times: number, { client, line, say, exitWith }: Context): Promise<void> {
  const sample = async (): Promise<Sample> => {
    const { item: status } = await client.get("/v1/status");
    const { items: nodes } = await client.get("/v1/nodes");
    return { at: bootClock(), status, nodes };
  };
  let before = await sample();
  for (let shown = 0; shown < times; shown++) {
    await sleep(EVERY_MS);
    // One that restarts is there again soon.
    const now = await sample().catch((thrown: unknown) => {
      if (!isAway(thrown)) throw thrown;
      say(thrown.message);
      return before;
    });
    if (now === before) continue;
    line({ before, now }, (both) => `${clearing()}${topText(both.before, both.now).trimEnd()}`);
    exitWith(now.status.health === "ok" ? 0 : 1);
    before = now;
  }
}

/** Rates between the two. */
export function topText(before: Sample, now: Sample): string {
  const { status } = now;
  const seconds = Math.max(0.001, (now.at - before.at) / 1_000);
  const perSecond = (more: number): string => Math.max(0, more / seconds).toFixed(1);
  const rate = (names: (name: string) => boolean): string =>
    perSecond(sum(status.counters, names) - sum(before.status.counters, names));
  const cpuSeconds = status.process.cpuSeconds - before.status.process.cpuSeconds;
  const cpu = ((100 * cpuSeconds) / seconds).toFixed(1);
  const memory = (status.process.rssBytes / 1e6).toFixed(0);
  const lines = [
    `${status.node}: ${healthColored(status.health, status.health)}, ` +
      `${status.vips.ownedHere} of ${status.vips.total} addresses here`,
    `cpu ${cpu} % of a core, ${memory} MB`,
    `a second: ${rate(isAnswer)} answers, ${rate(isFrame)} frames looked at, ` +
      `${rate((name) => name === "claims")} claims`,
    `beacons:  ${rate((name) => name === "beacon-sent")} sent, ` +
      `${rate((name) => name === "beacon-received")} received, ` +
      `${rate((name) => name.startsWith("beacon-drop-"))} dropped`,
    "",
  ];
  const table = formatTable(now.nodes, [
    { title: "NODE", value: ({ node }) => node },
    { title: "DAEMON", value: ({ daemon }) => daemon ?? "-" },
    { title: "JITTER", value: ({ jitterMs }) => (jitterMs === null ? "-" : msText(jitterMs)) },
    { title: "OWNED", value: ({ owned }) => owned },
    { title: "CHANGE", value: ({ node, owned }) => changeOf(before.nodes, node, owned) },
  ]);
  return `${lines.join("\n")}\n${table}`;
}

function isAnswer(name: string): boolean {
  return name === "arp-answered" || name === "ndp-answered";
}

/** Outcomes of frames; what was sent is not among them. */
function isFrame(name: string): boolean {
  const [, what = ""] = /^(?:arp|ndp)-(.*)$/.exec(name) ?? [];
  return what !== "" && !["sent", "send-failed", "announced"].includes(what);
}

function sum(counters: StatusView["counters"], isCounted: (name: string) => boolean): number {
  return Object.entries(counters)
    .filter(([name]) => isCounted(name))
    .reduce((total, [, count]) => total + count, 0);
}

function msText(ms: number): string {
  return `${ms.toFixed(1)} ms`;
}

function changeOf(before: readonly NodeView[], node: string, owned: number): string {
  const was = before.find((other) => other.node === node)?.owned ?? 0;
  if (owned === was) return "";
  return owned > was ? `+${owned - was}` : String(owned - was);
}
