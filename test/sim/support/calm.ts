// Chance switched off: every delay is the middle of its range. A story told so stays the same when
// the code under test, or the simulator, draws more often than before.

import { Prng } from "./prng.ts";

export class Calm extends Prng {
  constructor() {
    super(0);
  }

  override float(): number {
    return 0.5;
  }
}
