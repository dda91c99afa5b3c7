// Whether somebody else writes into the statuses that lbd writes: each time lbd has written one,
// it has other addresses, and not because of what the Service asks.
// Pure: one who edits a status once is put right, one who does it again and again is a program.

import type { BootMs } from "../core/time.ts";
import { after } from "../core/time.ts";
import type { Service } from "../k8s-sync/model.ts";
import { objectKey } from "../k8s-sync/model.ts";
import { currentAddresses, isLeftToProxy, serviceRequest } from "./service-request.ts";

/** A change within this after a write of ours is an answer to it. */
const SOON_MS = 10_000;
/** So many of one Service, more than a person makes... */
const COUNT_MIN = 10;
/** ... within this are a program's. */
const WITHIN_MS = 60_000;
/** How long the statuses are left to the other, before it is tried again. */
const LEAVE_MS = 300_000;

interface Written {
  readonly asked: string;
  readonly addresses: string;
  readonly at: BootMs;
}

export class Overwrites {
  /** Our last write of each Service, oldest first. */
  readonly #ours = new Map<string, Written>();
  readonly #times = new Map<string, readonly BootMs[]>();
  #rival: { readonly service: string; readonly until: BootMs } | null = null;

  written(service: Service, now: BootMs): void {
    const key = objectKey(service);
    this.#ours.delete(key);
    this.#ours.set(key, { ...saidBy(service), at: now });
    for (const [old, { at }] of this.#ours) {
      if (now < after(at, SOON_MS)) break;
      this.#ours.delete(old);
    }
  }

  /** The status of the Service is about to be written, and is this now. */
  aboutToWrite(service: Service, now: BootMs): void {
    const key = objectKey(service);
    const ours = this.#ours.get(key);
    if (ours === undefined || now >= after(ours.at, SOON_MS)) return;
    const { asked, addresses } = saidBy(service);
    // The API server itself empties the status of a Service that changes its type and back.
    if (asked !== ours.asked || addresses === "" || addresses === ours.addresses) return;
    const recent = (this.#times.get(key) ?? []).filter((at) => now < after(at, WITHIN_MS));
    const times = [...recent, now];
    if (times.length < COUNT_MIN) {
      this.#times.set(key, times);
      return;
    }
    this.#times.clear();
    this.#ours.clear();
    this.#rival = { service: key, until: after(now, LEAVE_MS) };
  }

  /** The Service over which somebody else fights; null: nobody does. */
  rival(now: BootMs): string | null {
    return this.#rival !== null && now < this.#rival.until ? this.#rival.service : null;
  }
}

function saidBy(service: Service): { asked: string; addresses: string } {
  const { current: _, ...request } = serviceRequest(service);
  const asked = { ...request, uid: service.metadata.uid };
  const how = isLeftToProxy(service) ? [" Proxy"] : [];
  const addresses = [...currentAddresses(service), ...how].join();
  return { asked: JSON.stringify(asked), addresses };
}
