// What the daemon of this host says, and who listens on its socket if it is not the daemon.

import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { request } from "node:http";
import { ApiClient } from "../api/client.ts";
import { AppError, errorText } from "../core/errors.ts";
import { errnoOf } from "../core/file-error.ts";
import {
  type DaemonFacts,
  type Known,
  known,
  type PoolFact,
  type SocketFact,
  unknown,
} from "../doctor/facts.ts";
import { rangesOf } from "./pools.ts";

const TIMEOUT_MS = 2_000;

export interface DaemonAnswers {
  readonly socket: SocketFact;
  readonly daemon: Known<DaemonFacts>;
  readonly pools: Known<readonly PoolFact[]>;
}

export async function gatherDaemon(path: string): Promise<DaemonAnswers> {
  const state = await socketState(path);
  const holder = state === "other" ? holderOf(path) : null;
  const socket: SocketFact = { path, state, holder };
  try {
    const client = new ApiClient(path, { timeoutMs: TIMEOUT_MS });
    const status = (await client.get("/v1/status")).item;
    const nodes = (await client.get("/v1/nodes")).items;
    const pools = (await client.get("/v1/pools")).items;
    const daemon: DaemonFacts = {
      version: status.version,
      members: nodes.map(({ node, member, daemon: says }) => ({ node, member, daemon: says })),
      findings: status.findings.filter(({ health }) => health !== "ok"),
      withheld: pools.flatMap(({ withheld }) => withheld.filter(isHosts)),
    };
    const ranges = pools.map(({ pool, addresses }) => ({
      name: pool,
      ranges: addresses.flatMap(rangesOf),
    }));
    return { socket, daemon: known(daemon), pools: known(ranges) };
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    const why = unknown(thrown.message);
    return { socket, daemon: why, pools: why };
  }
}

/** Withheld for what another host does; the rest is so by the configuration. */
function isHosts({ because }: { readonly because: string }): boolean {
  return because.startsWith("quarantined");
}

async function socketState(path: string): Promise<SocketFact["state"]> {
  try {
    if (!lstatSync(path).isSocket()) return "not-a-socket";
  } catch (thrown) {
    return errnoOf(thrown) === "EACCES" ? "forbidden" : "missing";
  }
  const { promise, resolve } = Promise.withResolvers<SocketFact["state"]>();
  const outgoing = request({ socketPath: path, path: "/v1/status", timeout: TIMEOUT_MS });
  outgoing.once("response", (response) => {
    response.resume();
    resolve(response.headers["x-lbd-version"] === undefined ? "other" : "lbd");
  });
  outgoing.once("timeout", () => outgoing.destroy(new Error("no answer")));
  outgoing.once("error", (error) => {
    const code = errnoOf(error);
    if (code === "ECONNREFUSED") resolve("nobody-listens");
    else resolve(code === "EACCES" || code === "EPERM" ? "forbidden" : "other");
  });
  outgoing.end();
  return promise;
}

/** Name and process id of who has the socket open; null: not to be seen by this user. */
function holderOf(path: string): string | null {
  try {
    const lines = readFileSync("/proc/net/unix", "utf8").split("\n");
    const inodes = lines
      .map((line) => line.split(/\s+/))
      .filter((words) => words[7] === path)
      .map((words) => `socket:[${words[6]}]`);
    const ids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    const id = ids.find((one) => openFiles(one).some((target) => inodes.includes(target)));
    if (id === undefined) return null;
    return `${readFileSync(`/proc/${id}/comm`, "utf8").trim()} (process ${id})`;
  } catch (thrown) {
    // It ended this moment, or it is not to be seen.
    return errnoOf(thrown) === "" ? errorText(thrown) : null;
  }
}

function openFiles(id: string): string[] {
  try {
    const folder = `/proc/${id}/fd`;
    return readdirSync(folder).map((fd) => readlinkSync(`${folder}/${fd}`));
  } catch {
    return [];
  }
}
