// What the host itself says: firewall, clock, processes, the unit, kube-proxy's health.

import { readdirSync, readFileSync } from "node:fs";
import { get } from "node:http";
import { uptime } from "node:os";
import { errorText } from "../core/errors.ts";
import { type Facts, type Known, known, type ProcessFact, unknown } from "../doctor/facts.ts";
import { tool } from "./tool.ts";

const HEALTH_TIMEOUT_MS = 1_000;
const DAY_S = 86_400;
/** A clock that is set while the host starts is as it should be. */
const BOOT_S = 600;
const STEPS = "System clock was stepped|Time jumped backwards|time stepped by|clock stepped";

export async function gatherNft(): Promise<Known<unknown>> {
  const text = await tool(["nft", "-j", "list", "ruleset"]);
  if (!text.known) return text;
  try {
    return known(JSON.parse(text.value) as unknown);
  } catch (thrown) {
    return unknown(`what nft(8) says cannot be read: ${errorText(thrown)}`);
  }
}

export function gatherIptables(): Promise<Known<string>> {
  return tool(["iptables-save"]);
}

export async function gatherClock(): Promise<Pick<Facts["clock"], "isSynchronized" | "steps">> {
  const since = Math.floor(Math.min(DAY_S, uptime() - BOOT_S));
  const [shown, steps] = await Promise.all([
    tool(["timedatectl", "show", "--property=NTPSynchronized", "--value"]),
    since <= 0 ? known("") : tool(stepsArguments(since), { statuses: [0, 1] }),
  ]);
  return {
    isSynchronized: shown.known ? synchronized(shown.value.trim()) : shown,
    steps: steps.known ? known(steps.value.split("\n").filter((line) => line !== "")) : steps,
  };
}

function stepsArguments(since: number): string[] {
  const what = ["--quiet", "--no-pager", "--output=short-iso", "--lines=20", `--grep=${STEPS}`];
  return ["journalctl", `--since=-${since}s`, ...what];
}

function synchronized(text: string): Known<boolean> {
  if (text === "yes" || text === "no") return known(text === "yes");
  return unknown("timedatectl does not say whether the clock is synchronised");
}

export function gatherProcesses(): Known<readonly ProcessFact[]> {
  try {
    const ids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    return known(ids.flatMap(processOf));
  } catch (thrown) {
    return unknown(`/proc cannot be read: ${errorText(thrown)}`);
  }
}

/** Nothing of a thread of the kernel, or of a process that has just ended. */
function processOf(id: string): ProcessFact[] {
  try {
    const name = readFileSync(`/proc/${id}/comm`, "utf8").trim();
    const command = readFileSync(`/proc/${id}/cmdline`, "utf8").replaceAll("\0", " ").trim();
    return command === "" ? [] : [{ pid: Number(id), name, command }];
  } catch {
    return [];
  }
}

export async function gatherUnit(): Promise<Facts["unit"]> {
  const properties = "--property=LoadState,ActiveState,Result";
  const shown = await tool(["systemctl", "show", "lbd.service", properties]);
  if (!shown.known) return shown;
  const values = new Map(
    shown.value.split("\n").map((line) => {
      const split = line.indexOf("=");
      return [line.slice(0, split), line.slice(split + 1)];
    }),
  );
  return known({
    load: values.get("LoadState") ?? "",
    active: values.get("ActiveState") ?? "",
    result: values.get("Result") ?? "",
  });
}

export function gatherKubeProxy(): Promise<Facts["kubeProxy"]> {
  const { promise, resolve } = Promise.withResolvers<Facts["kubeProxy"]>();
  const timeout = HEALTH_TIMEOUT_MS;
  const request = get("http://127.0.0.1:10256/healthz", { timeout }, (response) => {
    response.resume();
    const status = response.statusCode ?? 0;
    resolve(known({ answer: status === 200 ? "alive" : "unhealthy", detail: `${status}` }));
  });
  request.once("timeout", () => request.destroy(new Error("no answer within 1 s")));
  request.once("error", (error) => {
    resolve(known({ answer: "silent", detail: errorText(error) }));
  });
  return promise;
}
