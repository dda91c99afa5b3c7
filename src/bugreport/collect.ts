// Collects the parts of a bug report: files, the daemon's answers, the host. Each part on its own:
// what cannot be had is noted with its reason, and the rest goes on.

import { readFileSync } from "node:fs";
import { arch, hostname, version as kernelVersion, release } from "node:os";
import { ApiClient } from "../api/client.ts";
import type { ResourcePath, StatusView } from "../api/types.ts";
import type { NodeFile } from "../config/node-file.ts";
import { BEACON_KEY_BYTES } from "../core/beacon-keys.ts";
import { AppError, errorText } from "../core/errors.ts";
import { whyUnreadable } from "../core/file-error.ts";
import type { WallMs } from "../core/time.ts";
import { VERSION } from "../core/version.ts";
import { type DoctorReport, diagnose } from "../doctor/doctor.ts";
import { gatherFacts, readNodeFile } from "../host-facts/gather.ts";
import { readMetrics } from "../host-facts/metrics.ts";
import { tool } from "../host-facts/tool.ts";
import { readState } from "../store/read-state.ts";
import { Parts } from "./parts.ts";
import type { Secret } from "./redact.ts";
import { redactKubeconfig } from "./redact-kubeconfig.ts";
import { formsOf, kubeconfigSecrets } from "./secrets.ts";

export interface CollectOptions {
  /** Path of the node file. */
  readonly config: string;
  /** Null: the one of the node file. */
  readonly socket: string | null;
  readonly now: WallMs;
  readonly doctorText: (report: DoctorReport) => string;
}

const RESOURCES = {
  status: "/v1/status",
  vips: "/v1/vips",
  services: "/v1/services",
  pools: "/v1/pools",
  nodes: "/v1/nodes",
  drain: "/v1/drain",
  frames: "/v1/frames",
} as const satisfies Readonly<Record<string, ResourcePath>>;
/** What the state file remembers and everybody may know. */
const PUBLIC_SETTINGS: ReadonlySet<string> = new Set(["drain", "cluster-uid", "incarnation"]);
const HISTORY_LIMIT = "10000";
/** One explanation an address would be endless where all of them fail. */
const EXPLAINED_MAX = 50;

/** What of the host may tell why; by the name of its file. */
const TOOLS: Readonly<Record<string, readonly string[]>> = {
  addresses: ["ip", "-details", "-statistics", "address"],
  routes: ["ip", "route", "show", "table", "all"],
  rules: ["ip", "rule"],
  neighbours: ["ip", "neighbour"],
  nftables: ["nft", "list", "ruleset"],
  iptables: ["iptables-save"],
  sockets: ["ss", "-lntuxp"],
  sysctls: ["sysctl", "-a", "--pattern", "^net\\.(ipv4\\.conf|bridge)"],
  unit: ["systemctl", "show", "lbd.service"],
  time: ["timedatectl"],
  disk: ["df", "-h"],
};
const JOURNAL = ["journalctl", "--unit=lbd", "--since=-1h", "--no-pager"];
const JOURNAL_TIMEOUT_MS = 15_000;

export async function collect(options: CollectOptions): Promise<Parts> {
  const { config, now } = options;
  const { file } = readNodeFile(config);
  const parts = new Parts(await secretsOf(file));
  parts.add("versions.txt", versions());
  addFile(parts, "config.yaml", config, (text) => text);
  addFile(parts, "kubeconfig.yaml", file.kubeconfig, redactKubeconfig);
  const socket = options.socket ?? file.socket;
  const answers = await addAnswers(parts, new ApiClient(socket));
  if (!answers) await addState(parts, file.stateFile);
  const report = diagnose(await gatherFacts({ config, socket, now }));
  parts.addJson("doctor.json", report);
  parts.add("doctor.txt", options.doctorText(report));
  parts.addKnown("metrics.txt", await readMetrics(file.metrics));
  const journal = [...JOURNAL, "--output=short-iso-precise"];
  parts.addKnown("journal.txt", await tool(journal, { timeoutMs: JOURNAL_TIMEOUT_MS }));
  const told = Object.entries(TOOLS).map(async ([name, argv]) => [name, await tool(argv)] as const);
  for (const [name, known] of await Promise.all(told)) parts.addKnown(`host/${name}.txt`, known);
  return parts;
}

/** Those of the kubeconfig, and those that the state file has; a copy of it is read. */
async function secretsOf(file: NodeFile): Promise<Secret[]> {
  const secrets = kubeconfigSecrets(file.kubeconfig);
  try {
    const { settings } = await readState(file.stateFile);
    return [...secrets, ...settings.flatMap(settingSecrets)];
  } catch (thrown) {
    if (thrown instanceof AppError) return secrets;
    throw thrown;
  }
}

/** Keys are saved one after another; whatever is not known to be none is taken for some. */
function settingSecrets({ name, value }: { readonly name: string; readonly value: Uint8Array }) {
  if (PUBLIC_SETTINGS.has(name)) return [];
  const starts = Array.from(
    { length: Math.ceil(value.length / BEACON_KEY_BYTES) },
    (_, at) => at * BEACON_KEY_BYTES,
  );
  const keys = starts.map((start) => value.subarray(start, start + BEACON_KEY_BYTES));
  return [value, ...keys].map((key) => ({ name: "key", forms: formsOf(key) }));
}

function versions(): string {
  const lines = [
    `lbctl    ${VERSION}`,
    `node     ${process.version} (${arch()})`,
    `kernel   ${release()}`,
    `         ${kernelVersion()}`,
    `host     ${hostname()}`,
  ];
  try {
    return `${lines.join("\n")}\n\n${readFileSync("/etc/os-release", "utf8")}`;
  } catch {
    return `${lines.join("\n")}\n`;
  }
}

function addFile(
  parts: Parts,
  name: string,
  path: string,
  clean: (text: string) => string | null,
): void {
  try {
    const text = clean(readFileSync(path, "utf8"));
    if (text !== null) parts.add(name, text);
    else parts.miss(name, `"${path}" cannot be parsed, so what of it is secret is not known`);
  } catch (thrown) {
    parts.miss(name, `"${path}": ${whyUnreadable(thrown)}`);
  }
}

/** False: there is no daemon to ask. */
async function addAnswers(parts: Parts, client: ApiClient): Promise<boolean> {
  let status: StatusView;
  try {
    status = (await client.get("/v1/status")).item;
  } catch (thrown) {
    parts.miss("api/", errorText(thrown));
    return false;
  }
  for (const [name, path] of Object.entries(RESOURCES)) {
    await attempt(parts, `api/${name}.json`, () => client.get(path));
  }
  await attempt(parts, "api/history.json", () =>
    client.get("/v1/history", { limit: HISTORY_LIMIT }),
  );
  for (const subject of (await subjects(client, status)).slice(0, EXPLAINED_MAX)) {
    const name = `api/explain/${subject.replaceAll(/[^\w.-]/g, "_").slice(0, 48)}.json`;
    await attempt(parts, name, () => client.get("/v1/explain", { subject }));
  }
  return true;
}

/** Addresses and Services about which something is wrong. */
async function subjects(client: ApiClient, { findings }: StatusView): Promise<string[]> {
  try {
    const vips = (await client.get("/v1/vips")).items;
    const services = (await client.get("/v1/services")).items;
    const told = findings
      .map(({ what, cause }) => `${what} ${cause}`)
      .join(" ")
      .split(/[\s,;:"]+/);
    const words = new Set(told);
    return [...vips.filter(({ owner, address }) => owner === null || words.has(address))]
      .map(({ address }) => address)
      .concat(services.filter(({ pending }) => pending !== null).map(({ service }) => service));
  } catch {
    // It has stopped meanwhile: what there is has been noted.
    return [];
  }
}

async function attempt(parts: Parts, name: string, get: () => Promise<object>): Promise<void> {
  try {
    parts.addJson(name, await get());
  } catch (thrown) {
    parts.miss(name, errorText(thrown));
  }
}

async function addState(parts: Parts, path: string): Promise<void> {
  try {
    const { schema, history, tenures, allocations } = await readState(path);
    parts.addJson("state/history.json", history);
    parts.addJson("state/tenures.json", tenures);
    parts.addJson("state/allocations.json", allocations);
    parts.add("state/schema.txt", `${schema}\n`);
  } catch (thrown) {
    parts.miss("state/", errorText(thrown));
  }
}
