// What Services ask for and this version does not do yet: said in the status, and by one Event
// each, instead of being ignored in silence. An entry goes when its support comes; with the last
// one, the file.

import type { Finding } from "../api/types.ts";
import type { Service } from "../k8s-sync/model.ts";
import { objectKey } from "../k8s-sync/model.ts";
import type { ServiceEvents } from "./service-events.ts";
import { isOurs } from "./service-request.ts";

/** At most this many Services are named in the status; the rest is counted. */
const LISTED_MAX = 5;

/** What is ignored, and what happens instead; the same text for every Service that asks for it. */
export function unsupported(service: Service): string[] {
  const { spec, metadata } = service;
  if (!isOurs(service) || spec.type !== "LoadBalancer") return [];
  const texts: string[] = [];
  for (const [name, instead] of ANNOTATIONS) {
    const value = metadata.annotations[name] ?? "";
    if (value !== "") texts.push(`the annotation "${name}" is ignored: ${instead}`);
  }
  return texts;
}

const ANY_POOL = "unless it asks for an address, the Service gets one of any pool with autoAssign";
const NOT_SHARED = "the Service gets an address of its own, and one that another has is refused";
const ANNOTATIONS: readonly (readonly [string, string])[] = [
  ["metallb.io/address-pool", ANY_POOL],
  ["metallb.universe.tf/address-pool", ANY_POOL],
  ["metallb.io/allow-shared-ip", NOT_SHARED],
  ["metallb.universe.tf/allow-shared-ip", NOT_SHARED],
];

/** One finding about all Services of which something is ignored; none when there is no such. */
export function unsupportedFinding(services: Iterable<Service>): Finding[] {
  const names: string[] = [];
  const texts = new Set<string>();
  for (const service of services) {
    const ignored = unsupported(service);
    if (ignored.length > 0) names.push(objectKey(service));
    for (const text of ignored) texts.add(text);
  }
  if (names.length === 0) return [];
  const more = names.length - LISTED_MAX;
  const listed = names.sort().slice(0, LISTED_MAX).join(", ");
  return [
    {
      health: "degraded",
      what:
        "Services ask for what this version does not support: " +
        (more > 0 ? `${listed} and ${more} more` : listed),
      cause: [...texts].sort().join("; "),
      next: "take it out of these Services, or do without it for now",
    },
  ];
}

/** Tells each Service once of each thing that is ignored, and again when it was gone in between. */
export class UnsupportedEvents {
  readonly #events: Pick<ServiceEvents, "notSupported">;
  #told = new Set<string>();

  constructor(events: Pick<ServiceEvents, "notSupported">) {
    this.#events = events;
  }

  /**
   * To be called with all Services after every change of one. One node tells, the leader; a new
   * one, which reads all Services first, tells again: Events do not last, what they say does.
   */
  check(services: ReadonlyMap<string, Service>, options: { isLeader: boolean }): void {
    const told = new Set<string>();
    for (const service of services.values()) {
      for (const text of unsupported(service)) {
        const id = `${service.metadata.uid} ${text}`;
        const isNews = !this.#told.has(id);
        if (isNews && options.isLeader) this.#events.notSupported(service, text);
        if (!isNews || options.isLeader) told.add(id);
      }
    }
    this.#told = told;
  }
}
