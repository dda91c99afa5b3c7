// The causal chain of one Service or address, link by link: request, pool, advertisement, every
// node with its verdict, owner, and the last answer on the wire.

import type { ExplainStep, ExplainView } from "../api/types.ts";
import type { Ip } from "../core/address.ts";
import { parseIp } from "../core/address.ts";
import type { BootMs } from "../core/time.ts";
import type { Service } from "../k8s-sync/model.ts";
import { preferenceOf } from "../ownership/preference.ts";
import type { VipView } from "../ownership/views.ts";
import type { BgpState } from "./bgp-task.ts";
import type { ClusterView } from "./cluster-view.ts";
import { explainBgp } from "./explain-bgp.ts";
import { isGone } from "./orphans.ts";
import type { VipAnswers } from "./responder-messages.ts";
import { routedBy } from "./routed-by.ts";
import { currentAddresses, serviceRequest } from "./service-request.ts";

export interface ExplainSources {
  readonly node: string;
  readonly cluster: ClusterView;
  readonly vip: (address: Ip) => VipView | null;
  readonly answers: (address: Ip) => VipAnswers | null;
  readonly pending: (service: string) => string | null;
  readonly isLeader: boolean;
  readonly leader: string | null;
  /** Why no address is given to anybody, as far as this node knows, or null. */
  readonly notAllocating: string | null;
  /** Why nothing is answered from this node, or null. */
  readonly muted: string | null;
  readonly reserved: ReadonlyMap<Ip, string>;
  /** What the leader knows of the address on the wire, or null. */
  readonly note: (address: Ip) => string | null;
  /** What this node says by BGP, and how that goes. */
  readonly bgp: () => BgpState;
  readonly now: BootMs;
}

/** Null when the subject is neither a Service of type LoadBalancer nor an address of a pool. */
export function explain(subject: string, sources: ExplainSources): ExplainView | null {
  const address = parseIp(subject);
  if (address !== null) return explainAddress(address, sources);
  const key = subject.includes("/") ? subject : `default/${subject}`;
  const service = sources.cluster.services.get(key);
  if (service === undefined || service.spec.type !== "LoadBalancer") return null;
  if (!sources.cluster.isOurs(service)) {
    const steps = [serviceStep(key, service, sources)];
    return { subject: key, answer: "is left to its own implementation", steps };
  }
  const addresses = currentAddresses(service);
  const steps = [serviceStep(key, service, sources), ...addresses.flatMap(chainOf(sources))];
  const owners = addresses.map((ip) => `${ip} (${ownerText(ip, sources)})`).join(", ");
  const answer = addresses.length === 0 ? "has no address" : `has ${owners}`;
  return { subject: key, answer, steps };
}

function explainAddress(address: Ip, sources: ExplainSources): ExplainView | null {
  const { cluster } = sources;
  const services = cluster.servicesOf(address);
  if (services.length === 0 && cluster.poolOf(address) === null) return null;
  if (services.length === 0) {
    const use = sources.reserved.get(address);
    const free = sources.note(address) ?? freeText(sources);
    const text = use === undefined ? `no Service has it: ${free}` : `never handed out: ${use}`;
    return { subject: address, answer: text, steps: [poolStep(address, sources)] };
  }
  const steps = services.flatMap((key) => {
    const service = cluster.services.get(key);
    return service === undefined ? [] : [serviceStep(key, service, sources)];
  });
  steps.push(...chainOf(sources)(address));
  return { subject: address, answer: ownerText(address, sources), steps };
}

/** What is withheld for a time is known where addresses are given. */
function freeText({ isLeader, leader }: ExplainSources): string {
  if (isLeader) return "it is free";
  return `the leader (${leader ?? "none now"}) knows whether it is free or withheld`;
}

function chainOf(sources: ExplainSources): (address: Ip) => ExplainStep[] {
  return (address) => {
    const steps = [poolStep(address, sources), ...advertisementSteps(address, sources)];
    const vip = sources.vip(address);
    if (vip === null) return [...steps, notAVip(sources)];
    return [...steps, ...nodeSteps(vip, sources), ownerStep(vip, sources), wireStep(vip, sources)];
  };
}

function serviceStep(key: string, service: Service, sources: ExplainSources): ExplainStep {
  const step = "service" as const;
  if (!sources.cluster.isOurs(service)) {
    const { loadBalancerClass } = service.spec;
    const has = loadBalancerClass === undefined ? "no loadBalancerClass" : "loadBalancerClass";
    const quoted = loadBalancerClass === undefined ? "" : ` "${loadBalancerClass}"`;
    return { step, state: "no", text: `${key} has ${has}${quoted}: not lbd's` };
  }
  const wish = wishOf(service);
  const pending = sources.pending(key);
  if (pending !== null) return { step, state: "problem", text: `${key} ${wish}: ${pending}` };
  const current = currentAddresses(service);
  if (current.length > 0) {
    const text = `${key} ${wish}, and has ${current.join(", ")}`;
    const why = whyNoOther(service, sources);
    if (why !== null) return { step, state: "problem", text: `${text}: ${why}` };
    const { notAllocating } = sources;
    const left = notAllocating === null ? text : `${text}; ${notAllocating}`;
    return { step, state: "ok", text: left };
  }
  const why = whyWaiting(sources);
  return { step, state: "problem", text: `${key} ${wish}, and has no address: ${why}` };
}

/** It has an address, and asks for others; null: for no others. */
function whyNoOther(service: Service, sources: ExplainSources): string | null {
  const { requested } = serviceRequest(service);
  const current = currentAddresses(service);
  if ("unreadable" in requested || requested.every((ip) => current.includes(ip))) return null;
  return whyWaiting(sources);
}

/** It has not what it asks for, and nothing is known here that is about this Service. */
function whyWaiting({ notAllocating, isLeader, leader }: ExplainSources): string {
  if (notAllocating !== null) return notAllocating;
  if (isLeader) return "it has no cluster IP, or is about to get it";
  if (leader === null) return "no node leads now, and only the leader gives addresses";
  return `the leader (${leader}) knows why: run lbctl explain there`;
}

/** What it asks for, in words. */
function wishOf(service: Service): string {
  const { requested, pool, sharingKey } = serviceRequest(service);
  if ("unreadable" in requested) return requested.unreadable;
  const what = requested.length === 0 ? "any address" : requested.join(", ");
  const from = pool === null ? "" : ` of pool "${pool}"`;
  return `asks for ${what}${from}${sharingKey === "" ? "" : `, to share by key "${sharingKey}"`}`;
}

function poolStep(address: Ip, { cluster, note }: ExplainSources): ExplainStep {
  const pool = cluster.poolOf(address);
  if (pool === null) {
    return { step: "pool", state: "problem", text: `${address} is in no IPAddressPool` };
  }
  const auto = pool.autoAssign ? "hands out by itself" : "hands out on request only";
  const wire = note(address) === null ? "" : `; ${note(address)}`;
  const text = `${address} is of pool "${pool.name}", which ${auto}${wire}`;
  return { step: "pool", state: "ok", text };
}

function advertisementSteps(address: Ip, sources: ExplainSources): ExplainStep[] {
  const { cluster, node, bgp } = sources;
  const step = "advertisement" as const;
  const advertised = cluster.advertised(address);
  const routes = explainBgp(address, { node, cluster, state: bgp() });
  if ("reason" in advertised) {
    const state = routes.length === 0 ? "problem" : "no";
    return [{ step, state, text: `${advertised.reason}: nobody may answer` }, ...routes];
  }
  const names = advertised.advertisements.map((ad) => `"${ad.name}"`).join(", ");
  return [{ step, state: "ok", text: `L2Advertisement ${names} covers the pool` }, ...routes];
}

function notAVip({ muted }: ExplainSources): ExplainStep {
  const text = muted ?? "this node has not taken it up yet";
  return { step: "owner", state: "problem", text };
}

function nodeSteps(vip: VipView, { cluster }: ExplainSources): ExplainStep[] {
  const nodes = cluster.placementOf(vip.address)?.nodes;
  let rank = 0;
  return vip.verdicts.map(({ node, status, hearing, state, verdict }) => {
    if (!verdict.eligible) return nodeStep("no", `${node}: not eligible, ${verdict.reason}`);
    if (status === "stopped")
      return nodeStep("no", `${node}: eligible, but lbd does not run there`);
    if (status !== "alive")
      return nodeStep("no", `${node}: eligible, but its Lease says ${status}`);
    if (hearing === "silent") return nodeStep("no", `${node}: eligible, but not heard here`);
    if (hearing === "heard" && state !== null && state !== "live") {
      return nodeStep("no", `${node}: eligible, but its daemon is ${state}`);
    }
    rank += 1;
    const health = verdict.unhealthy === null ? "" : `, last resort (${verdict.unhealthy})`;
    const where = verdict.interfaces.length === 0 ? "" : ` on ${verdict.interfaces.join(", ")}`;
    const weight = preferenceOf(nodes?.get(node));
    const liked = weight === 0 ? "" : `, preferred (weight ${weight})`;
    return nodeStep("ok", `${node}: eligible${where}, rank ${rank}${liked}${health}`);
  });
}

function nodeStep(state: ExplainStep["state"], text: string): ExplainStep {
  return { step: "node", state, text };
}

function ownerStep(vip: VipView, sources: ExplainSources): ExplainStep {
  const step = "owner" as const;
  const owner = vip.record?.owner ?? null;
  const isRouted = routedBy(vip.address, sources.cluster).length > 0;
  const unowned = isRouted ? "no" : "problem";
  if (owner === null) return { step, state: unowned, text: "nobody owns it now" };
  if (isGone(vip, owner)) {
    const text = `the record names ${owner}, epoch ${vip.record?.epoch}, which is not heard`;
    return { step, state: "problem", text };
  }
  const here = owner === sources.node ? `; here it is ${vip.phase.kind}` : "";
  const state = owner === sources.node && vip.phase.kind !== "owning" ? "problem" : "ok";
  return { step, state, text: `${owner} owns it, epoch ${vip.record?.epoch}${here}` };
}

function wireStep(vip: VipView, sources: ExplainSources): ExplainStep {
  const step = "wire" as const;
  if (vip.phase.kind !== "owning") {
    const owner = vip.record?.owner ?? "the owner";
    const text = `this node does not answer for it; ${owner} knows of its answers`;
    return { step, state: "unknown", text };
  }
  // It may have answered before.
  if (sources.muted !== null) return { step, state: "problem", text: sources.muted };
  const answers = sources.answers(vip.address);
  if (answers === null || answers.lastAnswer === null) {
    return { step, state: "unknown", text: "nobody has asked since this node took it" };
  }
  const { at, to, interface: name } = answers.lastAnswer;
  const seconds = Math.max(0, Math.round((sources.now - at) / 1_000));
  const text = `${answers.answered} answers, the last ${seconds} s ago to ${to} on ${name}`;
  return { step, state: "ok", text };
}

function ownerText(address: Ip, sources: ExplainSources): string {
  const vip = sources.vip(address);
  const owner = vip?.record?.owner ?? null;
  if (vip === null && sources.muted !== null) return "this node does not answer for it";
  const isRouted = routedBy(address, sources.cluster).length > 0;
  if ((vip === null || owner === null) && isRouted) return "announced by BGP";
  if (vip === null || owner === null) return "nobody answers for it";
  if (isGone(vip, owner)) return `the record names node ${owner}, which is not heard`;
  const isSilent = owner === sources.node && sources.muted !== null;
  if (isSilent) return `node ${owner} owns it, and does not answer`;
  return `node ${owner} answers for it`;
}
