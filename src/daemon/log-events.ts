// The names of what the daemon writes into its log, one line for each change of state. They are
// stable: whoever filters the journal may rely on them. docs/events.md is made from this.

export interface LogEventAbout {
  readonly level: "info" | "warn" | "error";
  readonly meaning: string;
  /** Beside `time`, `level`, `node`, `event` and `msg`, which every line has. */
  readonly fields: readonly string[];
}

export const LOG_EVENTS = {
  ready: { level: "info", meaning: "the daemon works", fields: ["version"] },
  stopping: {
    level: "info",
    meaning: "it was told to end; keeps: its addresses are left to the daemon that follows",
    fields: ["keeps"],
  },
  "responder-ready": {
    level: "info",
    meaning: "the answering thread works; realtime: why it has no real-time priority, or null",
    fields: ["realtime"],
  },
  "owner-change": {
    level: "info",
    meaning: "a row of the history, as lbctl history shows it",
    fields: ["address", "change", "node", "epoch", "cause", "detail"],
  },
  leadership: {
    level: "info",
    meaning: "this node gives out addresses from now on, or no more",
    fields: ["isLeading"],
  },
  drain: {
    level: "info",
    meaning: "the node is drained, or no more",
    fields: ["cause", "force"],
  },
  links: {
    level: "info",
    meaning: "other interfaces than before have carrier",
    fields: ["names"],
  },
  config: {
    level: "info",
    meaning: "the configuration in the cluster was read; problems: how many lines are wrong",
    fields: ["pools", "problems"],
  },
  credentials: {
    level: "info",
    meaning: "a kubeconfig is in use; as a warning: it cannot be used, and why",
    fields: ["server"],
  },
  "token-renewed": { level: "info", meaning: "this node's token is renewed", fields: [] },
  "token-not-renewed": {
    level: "warn",
    meaning: "it cannot be renewed now; it is tried again",
    fields: [],
  },
  "api-failure": {
    level: "warn",
    meaning: "a resource cannot be read from the Kubernetes API; what was last read is in use",
    fields: ["resource", "kind"],
  },
  "status-objects": {
    level: "warn",
    meaning: "an object that tells people something cannot be read or written",
    fields: ["resource", "kind"],
  },
  "pool-status": {
    level: "warn",
    meaning: "the status of a pool cannot be written",
    fields: ["kind"],
  },
  "head-start": {
    level: "info",
    meaning: "VIPs with a record are served by what was known last, until the cluster is listed",
    fields: ["vips"],
  },
  recall: {
    level: "warn",
    meaning: "started without the Kubernetes API: what was known last is worked from",
    fields: [],
  },
  "address-in-use": {
    level: "warn",
    meaning: "a host that is no node uses an address of a pool: it is quarantined",
    fields: ["address", "macs"],
  },
  metallb: {
    level: "warn",
    meaning: "MetalLB is at work in this cluster, or no more",
    fields: ["kind", "reason"],
  },
  "bgp-session": {
    level: "warn",
    meaning: "a BGP session is down, or, as info, up",
    fields: ["peer", "neighbor", "vrf", "up"],
  },
  "bgp-applied": {
    level: "info",
    meaning: "FRR was told what it is to say now",
    fields: ["commands"],
  },
  "bgp-restored": {
    level: "warn",
    meaning: "lines of lbd in FRR's configuration were changed by somebody else: restored",
    fields: ["lines"],
  },
  "bgp-frr-restarted": {
    level: "warn",
    meaning: "FRR had nothing of lbd any more, and was told all again",
    fields: [],
  },
  "bgp-conflict": {
    level: "warn",
    meaning: "FRR's own configuration and a BGPPeer do not go together: that peer is left out",
    fields: [],
  },
  "bgp-failure": {
    level: "warn",
    meaning: "FRR is missing, does not run, does not let lbd in, hangs or refuses a line",
    fields: ["kind"],
  },
  "bgp-works": { level: "info", meaning: "the end of that", fields: [] },
  "foreign-cluster": {
    level: "info",
    meaning: "beacons of another cluster arrive: they are ignored",
    fields: ["cluster", "node", "interface", "address", "mac"],
  },
  "name-conflict": {
    level: "error",
    meaning: "another host runs lbd under this node's name",
    fields: ["address", "interface"],
  },
  "link-failure": {
    level: "error",
    meaning: "the host's interfaces cannot be read",
    fields: ["code"],
  },
  "metrics-served": {
    level: "info",
    meaning: "the metrics are served there",
    fields: ["address", "port"],
  },
  "metrics-not-served": { level: "warn", meaning: "they cannot be, and why", fields: [] },
  metrics: { level: "error", meaning: "a bug: they cannot be told", fields: ["err"] },
  "api-socket": { level: "warn", meaning: "the group may not use the socket, and why", fields: [] },
  "api-handler": { level: "error", meaning: "a bug: a question has no answer", fields: ["err"] },
} as const satisfies Readonly<Record<string, LogEventAbout>>;
