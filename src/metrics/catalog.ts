// Every metric of the daemon. docs/metrics.md says the same, which a test sees to.

import { LBD_METRICS } from "./lbd-metrics.ts";
import { METALLB_METRICS } from "./metallb-metrics.ts";
import type { Metric } from "./metric.ts";

export const METRICS: readonly Metric[] = [...METALLB_METRICS, ...LBD_METRICS];
