// Shadow mode: everything is computed and nothing is done. It asks the segments who answers for the
// addresses of the Services, and tells what lbd would do otherwise. It takes no part: no beacons,
// as a peer that is heard counts when others ask whether they are the larger half; no Lease of its
// node, as a member that renews it and is not heard looks like one whose beacons are filtered.
// To daemons that are active it is not there.

import { createHash } from "node:crypto";
import type { Asked } from "../answering/asks.ts";
import type { ShadowView } from "../api/plan-view.ts";
import type { CommandResult } from "../api/routes.ts";
import type { Finding } from "../api/types.ts";
import type { Ip } from "../core/address.ts";
import { hostPrefix, ipFamily, parseIp, rangeContains } from "../core/address.ts";
import type { Mac } from "../core/mac.ts";
import { Ranking } from "../ownership/ranking.ts";
import type { OwnershipEvent, Segment } from "../ownership/types.ts";
import type { ClusterView } from "./cluster-view.ts";
import type { ConfigPlanner } from "./config-planner.ts";
import { rangesOf } from "./early-vips.ts";
import type { ToResponder } from "./responder-messages.ts";
import { chooseOwner, nameOf, ownerDifference } from "./shadow-comparison.ts";
import type { Task } from "./tasks.ts";
import { aborted } from "./tasks.ts";

export interface ShadowOptions {
  readonly file: { readonly nodeName: string };
  readonly cluster: ClusterView;
  readonly planner: Pick<ConfigPlanner, "plan">;
  readonly interfaces: () => readonly { readonly mac: Mac | null }[];
  readonly tellResponder: (message: ToResponder) => void;
}

/** Each address once in this time... */
const ROUND_MS = 10_000;
/** ... but no more than 20 questions a second. */
const ASK_GAP_MS_MIN = 50;
const IDLE_MS = 1_000;

export class Shadow implements Task {
  readonly name = "shadow";
  readonly #options: ShadowOptions;
  readonly #ranking = new Ranking((text) => createHash("sha256").update(text).digest("hex"));
  readonly #answers = new Map<Ip, readonly Mac[]>();
  #segments: readonly Segment[] = [];
  #waiting: Ip[] = [];
  /** As the last round found: a plan of all Services is not made for every look at the status. */
  #differences = 0;
  #steps = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ShadowOptions) {
    this.#options = options;
  }

  /** Counts up while it asks. */
  get progress(): number {
    return this.#steps;
  }

  /** In place of the ownership machine, which does not run. */
  post(event: OwnershipEvent): void {
    if (event.type === "segments") this.#segments = event.segments;
  }

  onAsked({ address, macs }: Asked): void {
    this.#answers.set(address, macs);
  }

  async run(signal: AbortSignal): Promise<void> {
    this.#options.tellResponder({ type: "mute", isMuted: true });
    this.#askNext();
    await aborted(signal);
    clearTimeout(this.#timer);
  }

  view(): CommandResult<ShadowView> {
    // What is in use, as if it were new: whatever the Services would lose or get is a difference.
    const plan = this.#options.planner.plan({ files: [{ name: "", text: "" }], replace: false });
    if (!plan.ok) return plan;
    const isOtherwise = ({ change }: { change: string }) =>
      change !== "keeps" && change !== "waits";
    const services = plan.value.services.filter(isOtherwise);
    const vips = this.#options.cluster.addresses().map((address) => this.#vip(address));
    const differing = vips.filter(({ difference }) => difference !== null);
    return { ok: true, value: { services, vips, differences: services.length + differing.length } };
  }

  findings(): Finding[] {
    const count = this.#differences;
    const next = "lbctl plan shadow";
    const mode: Finding = {
      health: "ok",
      what: "Shadow mode: nothing is answered, announced or written by this daemon",
      cause: 'the node file says "mode: shadow"',
      next: `${next}; to begin: mode: active in the node file, and systemctl restart lbd`,
    };
    if (count === 0) return [mode];
    const what = `lbd would do otherwise what is done now: ${count} differences`;
    const cause = "other rules, or another view of the cluster; each has its reason";
    return [{ health: "degraded", what, cause, next }, mode];
  }

  #vip(address: Ip): ShadowView["vips"][number] {
    const { cluster } = this.#options;
    const node = this.#options.file.nodeName;
    const keys = cluster.servicesOf(address);
    const services = keys.flatMap((key) => cluster.services.get(key) ?? []);
    const placement = cluster.placementOf(address);
    const macs = this.#answers.get(address) ?? null;
    const names = this.#nodesByMac();
    const answering = macs === null ? null : macs.map((mac) => nameOf(mac, names));
    const choice =
      placement === undefined
        ? { node: null, reason: "it is in no IPAddressPool" }
        : chooseOwner(
            {
              ...{ address, rankBy: cluster.rankedBy(address), placement },
              serving: cluster.servingOf(services),
            },
            {
              nodes: [...cluster.nodes.keys()],
              here: { node, segments: this.#segments },
              ranking: this.#ranking,
            },
          );
    const answer = macs === null ? null : { macs };
    const difference = ownerDifference(choice, answer, { here: node, names });
    return { address, services: keys, chosen: choice.node, answering, difference };
  }

  /** Of those that were asked for their own addresses; and of this host. */
  #nodesByMac(): Map<Mac, string> {
    const { file, interfaces } = this.#options;
    const own = interfaces().flatMap(({ mac }) =>
      mac === null ? [] : [[mac, file.nodeName] as const],
    );
    const others = [...this.#nodeAddresses()].flatMap(([address, name]) =>
      (this.#answers.get(address) ?? []).map((mac) => [mac, name] as const),
    );
    return new Map([...others, ...own]);
  }

  #nodeAddresses(): Map<Ip, string> {
    const { cluster, file } = this.#options;
    const others = [...cluster.nodes].filter(([name]) => name !== file.nodeName);
    return new Map(
      others.flatMap(([name, { addresses }]) =>
        addresses.flatMap(({ address }): [Ip, string][] => {
          const ip = parseIp(address);
          // To a host that is about to use its own IPv6 address, our question is another's claim.
          return ip === null || ipFamily(ip) === 6 ? [] : [[ip, name]];
        }),
      ),
    );
  }

  #askNext(): void {
    this.#steps += 1;
    if (this.#waiting.length === 0) this.#beginRound();
    const count = this.#options.cluster.addresses().length + this.#nodeAddresses().size;
    const address = this.#waiting.shift();
    const segment = this.#segments.find(({ prefixes }) =>
      prefixes.some((prefix) => address !== undefined && rangeContains(prefix, address)),
    );
    if (address !== undefined && segment !== undefined) {
      const { interface: name } = segment;
      this.#options.tellResponder({ type: "ask", address, interface: name, owner: null });
    }
    const gapMs = count === 0 ? IDLE_MS : Math.max(ASK_GAP_MS_MIN, ROUND_MS / count);
    this.#timer = setTimeout(() => this.#askNext(), Math.min(IDLE_MS, gapMs));
  }

  #beginRound(): void {
    const { cluster, tellResponder } = this.#options;
    const nodes = [...this.#nodeAddresses().keys()];
    this.#waiting = [...nodes, ...cluster.addresses()];
    // What the kernel lets through of the answers.
    const ranges = [...rangesOf(cluster.config.pools), ...nodes.map(hostPrefix)];
    tellResponder({ type: "ranges", ranges });
    const view = this.view();
    this.#differences = view.ok ? view.value.differences : 0;
    const known = new Set(this.#waiting);
    for (const address of this.#answers.keys()) {
      if (!known.has(address)) this.#answers.delete(address);
    }
  }
}
