// The code under test: the shipped modules, or a copy of them with a bug put in.

import { ArpResponder } from "../../../src/arp/responder.ts";
import { BeaconEngine } from "../../../src/beacon/engine.ts";
import { Leadership } from "../../../src/ownership/leadership.ts";
import { Ownership } from "../../../src/ownership/machine.ts";

export interface Code {
  readonly Ownership: typeof Ownership;
  readonly ArpResponder: typeof ArpResponder;
  readonly BeaconEngine: typeof BeaconEngine;
  readonly Leadership: typeof Leadership;
}

export const SHIPPED: Code = { Ownership, ArpResponder, BeaconEngine, Leadership };
