// The daemon as the socket API sees it, with made-up answers that a test may change, and an
// ApiServer that serves them on a socket in a temporary folder.

import { join } from "node:path";
import type { TestContext } from "node:test";
import type { FramesView } from "../../src/api/frames-view.ts";
import type { ConfigPlanView, PlanRequest, ShadowView } from "../../src/api/plan-view.ts";
import type { ApiCommands, ApiSource, CommandResult, HistoryQuery } from "../../src/api/routes.ts";
import { ApiServer } from "../../src/api/server.ts";
import type {
  DrainView,
  ExplainView,
  HistoryView,
  MoveView,
  NodeView,
  PoolView,
  ServiceView,
  StatusView,
  StreamEvent,
  VipView,
  WireView,
} from "../../src/api/types.ts";
import { VERSION } from "../../src/core/version.ts";
import { BGP_PEERS, BGP_ROUTES } from "./bgp-views.ts";
import { tempDir } from "./temp-dir.ts";

export const STATUS: StatusView = {
  node: "n1",
  version: VERSION,
  health: "ok",
  findings: [],
  cluster: null,
  uptimeSeconds: 7_300,
  api: { server: "https://10.0.0.1:6443", reachable: true, lastContactSecondsAgo: 3 },
  holdover: false,
  leader: { node: "n1", isThisNode: true },
  peers: { known: 2, heard: 2 },
  config: { valid: true, pools: 1, advertisements: 2, problems: [] },
  vips: { total: 3, ownedHere: 1, withoutOwner: 0 },
  process: { cpuSeconds: 12.5, rssBytes: 62_000_000 },
  counters: { answered: 7 },
};

export const VIPS: readonly VipView[] = [
  {
    address: "10.0.0.10",
    pool: "lan",
    services: ["shop/api", "shop/web"],
    owner: "n1",
    epoch: 4,
    here: "owning",
    interfaces: ["eth0", "eth1"],
    answered: 7,
    bgp: [],
  },
  {
    address: "10.0.0.11",
    pool: "lan",
    services: ["shop/db"],
    owner: null,
    epoch: 0,
    here: "idle",
    interfaces: [],
    answered: null,
    bgp: [],
  },
];

export const SERVICES: readonly ServiceView[] = [
  {
    service: "shop/db",
    addresses: [],
    pool: null,
    requested: ["10.0.0.99"],
    owners: [],
    pending: "no available IPs",
  },
  {
    service: "shop/web",
    addresses: ["10.0.0.10", "2001:db8::10"],
    pool: "lan",
    requested: [],
    owners: ["n1", null],
    pending: null,
  },
];

export const POOLS: readonly PoolView[] = [
  {
    pool: "lan",
    addresses: ["10.0.0.10-10.0.0.20", "2001:db8::10-2001:db8::20"],
    autoAssign: true,
    avoidBuggyIPs: false,
    assigned: { ipv4: 2, ipv6: 1 },
    available: { ipv4: 8, ipv6: 16 },
    withheld: [{ address: "10.0.0.20", because: 'the address of node "n1"' }],
    advertisements: ["all", "rack"],
  },
  {
    pool: "spare",
    addresses: ["10.1.0.0-10.1.0.255"],
    autoAssign: false,
    avoidBuggyIPs: true,
    assigned: { ipv4: 0, ipv6: null },
    available: { ipv4: 254, ipv6: null },
    withheld: [],
    advertisements: [],
  },
];

export const NODES: readonly NodeView[] = [
  { node: "n1", member: "alive", daemon: "live", jitterMs: 0.4, owned: 1, excluded: null },
  {
    node: "n2",
    member: "never-seen",
    daemon: null,
    jitterMs: null,
    owned: 0,
    excluded: "the Node is not Ready",
  },
];

export const HISTORY: readonly HistoryView[] = [
  {
    at: "2026-01-02T03:04:05.006Z",
    address: "10.0.0.10",
    change: "gained",
    node: "n1",
    epoch: 4,
    cause: "owner-down",
    detail: "from n2",
  },
  {
    at: "2026-01-02T03:04:04.000Z",
    address: "10.0.0.10",
    change: "conflict",
    node: null,
    epoch: 3,
    cause: "counted",
    detail: "",
  },
];

export const EXPLAINED: ExplainView = {
  subject: "shop/web",
  answer: "has 10.0.0.10 (node n1 answers for it)",
  steps: [
    { step: "service", state: "ok", text: "shop/web asks for any address, and has 10.0.0.10" },
    { step: "node", state: "no", text: "n2: not eligible, no interface with carrier" },
    { step: "wire", state: "unknown", text: "nobody has asked since this node took it" },
  ],
};

export const DRAIN: DrainView = {
  node: "n1",
  draining: true,
  cause: "requested",
  force: false,
  remaining: [],
};

export const MOVES: readonly MoveView[] = [{ address: "10.0.0.10", from: "n1", to: "n2" }];

export const PLAN: ConfigPlanView = {
  valid: true,
  problems: [],
  notices: ['IPAddressPool "lan" names no namespace: apply it with "-n metallb-system"'],
  objects: [{ object: 'IPAddressPool "metallb-system/lan"', change: "changed" }],
  summary: { keeps: 1, moves: 1, loses: 1, gains: 0, waits: 0, announcements: 1 },
  services: [
    {
      service: "shop/api",
      change: "keeps",
      before: ["10.0.0.10"],
      after: ["10.0.0.10"],
      ownersBefore: ["n1"],
      ownersAfter: [null],
      why: null,
      announcement: 'not announced any more: no L2Advertisement covers pool "lan"',
    },
    {
      service: "shop/db",
      change: "loses",
      before: ["10.0.0.12"],
      after: [],
      ownersBefore: ["n2"],
      ownersAfter: [],
      why: "no available IPs: lan (2 of 2 used)",
      announcement: null,
    },
    {
      service: "shop/web",
      change: "moves",
      before: ["10.0.0.11", "2001:db8::11"],
      after: ["10.0.0.99", "2001:db8::11"],
      ownersBefore: ["n1", null],
      ownersAfter: ["n2", null],
      why: null,
      announcement: null,
    },
  ],
};

export const SHADOW: ShadowView = {
  services: PLAN.services.filter(({ change }) => change === "loses"),
  vips: [
    {
      address: "10.0.0.10",
      services: ["shop/api"],
      chosen: "n1",
      answering: ["n2"],
      difference: "n2 answers; lbd would choose n1",
    },
    {
      address: "10.0.0.11",
      services: ["shop/web"],
      chosen: "n2",
      answering: ["n2"],
      difference: null,
    },
  ],
  differences: 2,
};

/** Every answer is a field; `thrown`, when set, is thrown by all of them. */
export const FRAMES: FramesView = {
  frames: [
    {
      at: "2026-11-27T10:00:00.000Z",
      interface: "eth0",
      outcome: "answered",
      length: 60,
      text: "who has 10.0.0.10? asks 10.0.0.2 at 02:00:00:00:64:02",
      bytes: "ffffffffffff",
    },
  ],
  decisions: [{ at: "2026-11-27T09:59:00.000Z", text: "grant 10.0.0.10 at epoch 4 on eth0" }],
};

export const WIRE: WireView = {
  address: "10.0.0.10",
  interface: "eth0",
  owner: "n2",
  ownedHere: false,
  answers: [
    { mac: "02:00:00:00:64:0c", node: "n2" },
    { mac: "02:00:00:00:64:99", node: null },
  ],
};

export class FakeApiSource implements ApiSource {
  statusView: StatusView = STATUS;
  drainView: DrainView = DRAIN;
  moves: readonly MoveView[] = MOVES;
  plan: CommandResult<ConfigPlanView> = { ok: true, value: PLAN };
  shadow: CommandResult<ShadowView> = { ok: true, value: SHADOW };
  historyRows: readonly HistoryView[] = HISTORY;
  explanations: readonly ExplainView[] = [EXPLAINED];
  framesView: FramesView | null = FRAMES;
  wire: CommandResult<WireView> = { ok: true, value: WIRE };
  thrown: unknown;
  /** Who follows the events. */
  readonly followers = new Set<(event: StreamEvent) => void>();
  /** What was asked of it, in order. */
  readonly asked: string[] = [];

  async refresh(): Promise<void> {
    this.asked.push("refresh");
  }

  status(): StatusView {
    return this.#answer("status", this.statusView);
  }

  vips(): VipView[] {
    return this.#answer("vips", [...VIPS]);
  }

  services(): ServiceView[] {
    return this.#answer("services", [...SERVICES]);
  }

  pools(): PoolView[] {
    return this.#answer("pools", [...POOLS]);
  }

  nodes(): NodeView[] {
    return this.#answer("nodes", [...NODES]);
  }

  bgpPeers = async () => this.#answer("bgp peers", [...BGP_PEERS]);
  bgpRoutes = () => this.#answer("bgp routes", [...BGP_ROUTES]);

  history({ address, node, since, limit }: HistoryQuery): HistoryView[] {
    const more = [
      ...(node === undefined ? [] : [`of ${node}`]),
      ...(since === undefined ? [] : [`since ${new Date(since).toISOString()}`]),
    ];
    const asked = ["history", address ?? "all", limit, ...more].join(" ");
    return this.#answer(asked, [...this.historyRows]);
  }

  async frames(): Promise<FramesView | null> {
    return this.#answer("frames", this.framesView);
  }

  explain(subject: string): ExplainView | null {
    const found = this.explanations.find((view) => view.subject === subject) ?? null;
    return this.#answer(`explain ${subject}`, found);
  }

  drain(): DrainView {
    return this.#answer("drain", this.drainView);
  }

  async who(address: string): Promise<CommandResult<WireView>> {
    return this.#answer(`who ${address}`, this.wire);
  }

  planRebalance(): MoveView[] {
    return this.#answer("plan rebalance", [...this.moves]);
  }

  planConfig({ files, replace }: PlanRequest): CommandResult<ConfigPlanView> {
    const names = files.map(({ name }) => name).join();
    return this.#answer(`plan config ${names}${replace ? " replace" : ""}`, this.plan);
  }

  planShadow(): CommandResult<ShadowView> {
    return this.#answer("plan shadow", this.shadow);
  }

  subscribe(tell: (event: StreamEvent) => void): () => void {
    this.asked.push("subscribe");
    this.followers.add(tell);
    return () => this.followers.delete(tell);
  }

  #answer<T>(question: string, answer: T): T {
    this.asked.push(question);
    if (this.thrown !== undefined) throw this.thrown;
    return answer;
  }
}

/** What can be asked for; `refusal`, when set, is what `move` says. */
export class FakeCommands implements ApiCommands {
  drainView: DrainView = DRAIN;
  moves: readonly MoveView[] = MOVES;
  refusal: CommandResult<MoveView> | null = null;
  /** What was asked for, in order. */
  readonly asked: string[] = [];

  drain(force: boolean): DrainView {
    this.asked.push(`drain ${force}`);
    return this.drainView;
  }

  undrain(): DrainView {
    this.asked.push("undrain");
    return this.drainView;
  }

  move(address: string, node: string): CommandResult<MoveView> {
    this.asked.push(`move ${address} ${node}`);
    return this.refusal ?? { ok: true, value: { address, from: "n1", to: node } };
  }

  rebalance(): MoveView[] {
    this.asked.push("rebalance");
    return [...this.moves];
  }
}

export interface ServedApi {
  readonly path: string;
  readonly source: FakeApiSource;
  readonly commands: FakeCommands;
  readonly server: ApiServer;
  /** What the server told its log. */
  readonly errors: unknown[];
}

export async function serveApi(
  context: Pick<TestContext, "after">,
  options: { path?: string; group?: string } = {},
): Promise<ServedApi> {
  const { path = join(tempDir(context), "lbd.sock"), group = "no-such-group" } = options;
  const source = new FakeApiSource();
  const errors: unknown[] = [];
  const commands = new FakeCommands();
  const onError = (error: unknown) => errors.push(error);
  const server = new ApiServer({ path, group, source, commands, onError });
  context.after(() => server.close());
  await server.listen();
  return { path, source, commands, server, errors };
}
