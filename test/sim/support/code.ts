// The code under test: the shipped modules, or a copy of them with a bug put in.

import { ArpResponder } from "../../../src/arp/responder.ts";
import { Leadership } from "../../../src/ownership/leadership.ts";
import { Ownership } from "../../../src/ownership/machine.ts";

export interface Code {
  readonly Ownership: typeof Ownership;
  readonly ArpResponder: typeof ArpResponder;
  readonly Leadership: typeof Leadership;
}

export const SHIPPED: Code = { Ownership, ArpResponder, Leadership };
