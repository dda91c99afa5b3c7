// What a responder thread that has measured nothing yet tells of its measurements.

import { BeaconMeasures } from "../../src/beacon/measures.ts";

export const UNMEASURED = { measures: new BeaconMeasures().get(), loopDelays: [] } as const;
