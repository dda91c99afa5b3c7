// Measures how fast what was packaged starts: `lbd --version`, and the daemon until it answers on
// its socket. The first start of each, with the files in memory as the build left them.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stringify } from "yaml";
import { MEMORY_ENVIRONMENT, NODE_ARGUMENTS } from "../bundle.ts";

/** Of a busy machine. */
const START_MS_MAX = 120_000;
const POLL_MS = 2;
const ENV = { PATH: process.env.PATH, ...MEMORY_ENVIRONMENT };

/** Refuses connections: what is measured is the daemon, not a cluster. */
const KUBECONFIG = {
  "current-context": "none",
  contexts: [{ name: "none", context: { cluster: "none", user: "none" } }],
  clusters: [{ name: "none", cluster: { server: "https://127.0.0.1:1" } }],
  users: [{ name: "none", user: { token: "none" } }],
};

function versionMs(library: string): number {
  const startedMs = performance.now();
  const argv = [...NODE_ARGUMENTS, join(library, "main.js"), "--version"];
  const { status, stderr } = spawnSync(join(library, "node"), argv, { env: ENV });
  if (status !== 0) throw new Error(`Cannot start what was packaged: ${stderr}`);
  return performance.now() - startedMs;
}

async function readyMs(library: string, folder: string): Promise<number> {
  const file = (name: string) => join(folder, name);
  const config = {
    kubeconfig: file("kubeconfig"),
    stateFile: file("state.db"),
    socket: file("lbd.sock"),
    socketGroup: "root",
    metrics: { port: 0 },
    logLevel: "error",
  };
  writeFileSync(file("kubeconfig"), stringify(KUBECONFIG), { mode: 0o600 });
  writeFileSync(file("config.yaml"), stringify(config));
  const startedMs = performance.now();
  const argv = [...NODE_ARGUMENTS, join(library, "main.js"), "--config", file("config.yaml")];
  const stdio = ["ignore", "inherit", "inherit"] as const;
  const daemon = spawn(join(library, "node"), argv, { env: ENV, stdio: [...stdio] });
  try {
    while (!(await answers(config.socket))) {
      const isOver = performance.now() - startedMs > START_MS_MAX;
      if (isOver || daemon.exitCode !== null) throw new Error("Cannot start the packaged daemon");
      await sleep(POLL_MS);
    }
    return performance.now() - startedMs;
  } finally {
    const ended = once(daemon, "exit");
    if (daemon.exitCode === null && daemon.kill()) await ended;
  }
}

function answers(path: string): Promise<boolean> {
  const socket = connect(path);
  return new Promise((resolve) => {
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
  }).then((value) => {
    socket.destroy();
    return value === true;
  });
}

const [library] = process.argv.slice(2);
if (library === undefined) throw new Error("Cannot measure: expected the packaged library folder");
const folder = mkdtempSync(join(tmpdir(), "lbd-cold-start-"));
try {
  const version = Math.round(versionMs(library));
  console.log(`  "lbd --version" takes ${version} ms`);
  const ready = Math.round(await readyMs(library, folder));
  console.log(`  the daemon answers lbctl after ${ready} ms`);
} finally {
  rmSync(folder, { recursive: true });
}
