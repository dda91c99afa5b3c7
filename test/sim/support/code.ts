// The code under test: the shipped modules, or a copy of them with a bug put in.

import { Grants } from "../../../src/answering/grants.ts";
import { BeaconEngine } from "../../../src/beacon/engine.ts";
import { Ownership } from "../../../src/ownership/machine.ts";

export interface Code {
  readonly Ownership: typeof Ownership;
  readonly Grants: typeof Grants;
  readonly BeaconEngine: typeof BeaconEngine;
}

export const SHIPPED: Code = { Ownership, Grants, BeaconEngine };
