// What the responder thread saw and decided last, as types; the fields are told in schemas.ts.

import type { z } from "zod";
import type { FRAMES } from "./schemas.ts";

export type FramesView = z.infer<typeof FRAMES>;
export type FrameView = FramesView["frames"][number];
export type DecisionView = FramesView["decisions"][number];
