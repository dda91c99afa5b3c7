// The code under test: the shipped modules, or a copy of them with a bug put in.

import { ArpResponder } from "../../../src/arp/responder.ts";
import { BeaconEngine } from "../../../src/beacon/engine.ts";
import { Ownership } from "../../../src/ownership/machine.ts";

export interface Code {
  readonly Ownership: typeof Ownership;
  readonly ArpResponder: typeof ArpResponder;
  readonly BeaconEngine: typeof BeaconEngine;
}

export const SHIPPED: Code = { Ownership, ArpResponder, BeaconEngine };
