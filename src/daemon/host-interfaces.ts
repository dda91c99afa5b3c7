// The host's interfaces as they are told: what follows from them for answering and for ownership is
// passed on when it has changed.

import { isDeepStrictEqual } from "node:util";
import type { AppError } from "../core/errors.ts";
import type { HostInterface } from "../link/host-interface.ts";
import type { OwnershipEvent, Segment } from "../ownership/types.ts";
import { type HostLinks, hostLinks, type InterfacePatterns } from "./host-links.ts";
import type { Logger } from "./logger.ts";
import type { Breakage, ResponderProblem, ToResponder } from "./responder-messages.ts";

export interface HostInterfacesOptions {
  readonly patterns: InterfacePatterns;
  readonly log: Logger;
  readonly tellResponder: (message: ToResponder) => void;
  readonly tellOwnership: (event: OwnershipEvent) => void;
  /** Something about them has changed. */
  readonly onChange: () => void;
}

export class HostInterfaces {
  readonly #options: HostInterfacesOptions;
  #interfaces: readonly HostInterface[] = [];
  #links: HostLinks | null = null;
  #failure: AppError | null = null;
  #broken: ReadonlyMap<string, Breakage> = new Map();

  constructor(options: HostInterfacesOptions) {
    this.#options = options;
  }

  get all(): readonly HostInterface[] {
    return this.#interfaces;
  }

  /** Those with carrier on which VIPs may be answered, and nothing is broken. */
  get segments(): HostLinks["segments"] {
    return this.#links?.segments ?? [];
  }

  /** Why they cannot be read now, or null. */
  get failure(): string | null {
    return this.#failure?.message ?? null;
  }

  set(interfaces: readonly HostInterface[]): void {
    this.#failure = null;
    // Most notifications change nothing here: no write of the node Lease for them.
    if (isDeepStrictEqual(interfaces, this.#interfaces)) return;
    this.#interfaces = interfaces;
    this.#look();
    this.#options.onChange();
  }

  /** What cannot be answered there, as the responder finds, is not owned there. */
  setBroken(problems: readonly Pick<ResponderProblem, "interface" | "breaks">[]): void {
    const broken = new Map(problems.map(({ interface: name, breaks }) => [name, breaks]));
    if (isDeepStrictEqual(broken, this.#broken)) return;
    this.#broken = broken;
    this.#look();
  }

  #look(): void {
    const links = hostLinks(this.#interfaces, this.#options.patterns);
    const segments = links.segments.flatMap((segment) => this.#whole(segment) ?? []);
    const usable = { ...links, segments };
    if (!isDeepStrictEqual(usable, this.#links)) this.#tellLinks(usable);
  }

  /** What is left of it. */
  #whole(segment: Segment): Segment | null {
    switch (this.#broken.get(segment.interface)) {
      case undefined:
        return segment;
      case "all":
        return null;
      case "ipv6": {
        const prefixes = segment.prefixes.filter(({ family }) => family === 4);
        return prefixes.length === 0 ? null : { ...segment, prefixes };
      }
    }
  }

  failed(error: AppError): void {
    this.#failure = error;
    this.#options.log.error({ event: "link-failure", code: error.code }, error.message);
  }

  #tellLinks(links: HostLinks): void {
    this.#links = links;
    const { log, tellResponder, tellOwnership } = this.#options;
    const names = links.answering.map((link) => link.name);
    log.info({ event: "links", names }, "interfaces with carrier");
    tellResponder({ type: "interfaces", interfaces: links.answering });
    tellOwnership({ type: "segments", segments: links.segments });
  }
}
