// The node file, /etc/lbd/config.yaml: what this host's daemon needs to know before it can read the
// rest of its configuration from the cluster. Text in, settings or all problems out; reads no file.

import type { Document } from "yaml";
import { parseDocument } from "yaml";
import { z } from "zod";
import { parseIp } from "../core/address.ts";
import { errorText } from "../core/errors.ts";
import type { Parsed, Problem } from "../core/problem.ts";
import { problemsOf } from "./zod-problems.ts";

/** Interfaces of container runtimes and CNIs, on which nobody expects a VIP to be answered. */
export const DEFAULT_EXCLUDED_INTERFACES: readonly string[] = [
  "^docker.*",
  "^cbr.*",
  "^dummy.*",
  "^virbr.*",
  "^lxcbr.*",
  "^veth.*",
  "^lo$",
  "^cali.*",
  "^tunl.*",
  "^flannel.*",
  "^kube-ipvs.*",
  "^cni.*",
  "^nodelocaldns.*",
  "^lxc.*",
];

/** Below the time between two renewals of a node Lease: beacons are the faster detector. */
/** A daemon that starts needs this, then listens for a hold, and is heard: a restart is over. */
const RESTART_MS = 500;
const HOLD_MS_MAX = 4_000;
const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

/** A label key, as the API server asks it of `spec.loadBalancerClass`. */
const LABEL_KEY =
  /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

/** FRR's words end at a space; names with "lbd-" are lbd's own. */
const ROUTE_MAP = /^(?!lbd-)[A-Za-z0-9_.-]{0,100}$/;

const absolutePath = z.string().regex(/^\//, { error: "an absolute path" });
const namespace = z.string().regex(DNS_LABEL, { error: "a namespace name (RFC 1123 label)" });
const regularExpression = z.string().refine(isRegularExpression, {
  error: "a regular expression",
});

export const nodeFileSchema = z.strictObject({
  nodeName: z
    .string()
    .regex(DNS_SUBDOMAIN, { error: "a Node name (RFC 1123 subdomain, lower case)" })
    .optional(),
  kubeconfig: absolutePath.default("/etc/lbd/kubeconfig"),
  kubeconfigContext: z.string().min(1).optional(),
  allowInsecureApi: z.boolean().default(false),
  namespace: namespace.default("metallb-system"),
  systemNamespace: namespace.default("lbd-system"),
  /** Where MetalLB up to 0.12 was configured: `namespace/name` of a ConfigMap. */
  legacyConfigMap: z
    .string()
    .refine(isNamespacedName, { error: "a namespace, a slash and the name of a ConfigMap" })
    .default("metallb-system/config"),
  stateFile: absolutePath.default("/var/lib/lbd/state.db"),
  socket: absolutePath.default("/run/lbd/lbd.sock"),
  socketGroup: z.string().min(1).default("lbd"),
  beacons: z
    .strictObject({
      /** Time between two beacons on a segment, in milliseconds. */
      intervalMs: z.int().min(20).max(1_000).default(100),
      /** Missed beacons after which a node counts as dead. */
      multiplier: z.int().min(2).max(10).default(3),
      port: z.int().min(1).max(65_535).default(7_473),
      /** How long peers leave this node what it has while its daemon restarts; 0: not at all. */
      restartHoldMs: z.int().min(0).max(60_000).default(10_000),
    })
    .refine(({ intervalMs, multiplier }) => intervalMs * multiplier <= HOLD_MS_MAX, {
      error: `intervalMs times multiplier at most ${HOLD_MS_MAX}`,
    })
    .superRefine(({ intervalMs, multiplier, restartHoldMs }, context) => {
      const leastMs = intervalMs * (multiplier + 2) + RESTART_MS;
      if (restartHoldMs <= 0 || restartHoldMs >= leastMs) return;
      const formula = `intervalMs x (multiplier + 2) + ${RESTART_MS}`;
      const message = `0, or at least ${formula}, which is ${leastMs}`;
      context.addIssue({ code: "custom", path: ["restartHoldMs"], message });
    })
    .prefault({}),
  /** Where Prometheus reads; port 0: nowhere. */
  metrics: z
    .strictObject({
      address: z
        .string()
        .refine((text) => parseIp(text) !== null, { error: "an IPv4 or IPv6 address" })
        .default("127.0.0.1"),
      port: z.int().min(0).max(65_535).default(7_472),
    })
    .prefault({}),
  /** How FRR, which speaks BGP, is driven. Without BGPPeers it need not be there. */
  bgp: z
    .strictObject({
      vtysh: absolutePath.default("/usr/bin/vtysh"),
      /** Folder of the sockets of FRR's daemons. */
      vtySockets: absolutePath.default("/run/frr"),
      /** How long routes stay once the daemon is gone and does not come back; 0: for ever. */
      routesWithoutDaemonSeconds: z.int().min(0).max(86_400).default(300),
      /** A route-map of FRR's own configuration for what peers say; "": nothing is accepted. */
      routeMapIn: z.string().regex(ROUTE_MAP, { error: "the name of a route-map" }).default(""),
    })
    .prefault({}),
  /** What becomes of addresses that Services give up; the same on all nodes. */
  allocation: z
    .strictObject({
      /** Another Service does not get it for so many seconds; 0: it may at once. */
      coolDownSeconds: z.int().min(0).max(86_400).default(0),
      /** A Service of the same name that comes back within so many hours has it again; 0: off. */
      reservationHours: z.int().min(0).max(720).default(0),
    })
    .prefault({}),
  /** Addresses go back to the node that ranks first for them, once it is there again. */
  preempt: z.boolean().default(false),
  /** A cordoned Node is drained. */
  drainOnCordon: z.boolean().default(false),
  /** Only Services of exactly this class are looked after; missing: only those without one. */
  loadBalancerClass: z
    .string()
    .regex(LABEL_KEY, { error: "a load balancer class (a label key)" })
    .optional(),
  /** The label node.kubernetes.io/exclude-from-external-load-balancers is not looked at. */
  ignoreExcludeLabel: z.boolean().default(false),
  /** `shadow`: what would be done is computed and compared with what is; nothing is done. */
  mode: z.enum(["active", "shadow"]).default("active"),
  excludeInterfaces: z.array(regularExpression).default([...DEFAULT_EXCLUDED_INTERFACES]),
  promiscuousInterfaces: z.array(regularExpression).default([]),
  logLevel: z.enum(["debug", "info", "warn", "error"]).default("info"),
});

/** The validated node file, defaults filled in; `nodeName` falls back on the host name. */
export type NodeFile = Omit<z.infer<typeof nodeFileSchema>, "nodeName"> & {
  readonly nodeName: string;
};

/** Reads the text of a node file; `hostName` stands in for a missing `nodeName`. */
export function parseNodeFile(text: string, hostName: string): Parsed<NodeFile> {
  const read = readYaml(text);
  if (!read.ok) return read;
  const raw = read.value ?? {};
  const parsed = nodeFileSchema.safeParse(raw);
  const problems = parsed.success ? [] : problemsOf(parsed.error, raw).map(ofDocument);
  const fallback = hostName.toLowerCase();
  const isNamed = typeof raw === "object" && "nodeName" in raw;
  if (!isNamed && !DNS_SUBDOMAIN.test(fallback)) {
    const expected = "the name of this host's Node object (the host name cannot be one)";
    problems.push({ where: "nodeName", found: `"${fallback}"`, expected });
  }
  if (!parsed.success || problems.length > 0) return { ok: false, problems };
  return { ok: true, value: { ...parsed.data, nodeName: parsed.data.nodeName ?? fallback } };
}

function ofDocument(problem: Problem): Problem {
  return problem.where === "" ? { ...problem, where: "the document" } : problem;
}

function readYaml(text: string): Parsed<unknown> {
  const document = parseDocument(text, { prettyErrors: true, uniqueKeys: true });
  if (document.errors.length > 0) {
    return { ok: false, problems: document.errors.map(yamlProblem) };
  }
  try {
    // Settings that name each other are of no use here, and could be without end.
    return { ok: true, value: document.toJS({ maxAliasCount: 0 }) };
  } catch (thrown) {
    const expected = "no anchors and aliases";
    return { ok: false, problems: [{ where: "the document", found: errorText(thrown), expected }] };
  }
}

function yamlProblem({ message, linePos }: Document["errors"][number]): Problem {
  const found = (message.split("\n")[0] ?? "").replace(/ at line \d+, column \d+:$/, "");
  return { where: `line ${linePos?.[0].line ?? 1}`, found, expected: "valid YAML" };
}

function isNamespacedName(text: string): boolean {
  const [namespace = "", name = "", ...rest] = text.split("/");
  return DNS_LABEL.test(namespace) && DNS_SUBDOMAIN.test(name) && rest.length === 0;
}

function isRegularExpression(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}
