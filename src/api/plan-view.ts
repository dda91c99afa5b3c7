// What a changed configuration would do, as types; the fields are told in plan-schemas.ts.

import type { z } from "zod";
import type * as schemas from "./plan-schemas.ts";

export type PlannedChange = z.infer<typeof schemas.PLANNED_CHANGE>;
export type PlannedServiceView = z.infer<typeof schemas.PLANNED_SERVICE>;
export type PlannedObjectView = z.infer<typeof schemas.PLANNED_OBJECT>;
export type ConfigPlanView = z.infer<typeof schemas.CONFIG_PLAN>;
export type PlanRequest = z.infer<typeof schemas.PLAN_REQUEST>;
export type ShadowVipView = z.infer<typeof schemas.SHADOW_VIP>;
export type ShadowView = z.infer<typeof schemas.SHADOW>;
