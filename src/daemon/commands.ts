// What lbctl may have this daemon do. Refuses, with the reason, what cannot be done.

import type { ApiCommands, CommandResult } from "../api/routes.ts";
import type { DrainView, MoveView } from "../api/types.ts";
import { type Ip, parseIp } from "../core/address.ts";
import type { Clock } from "../core/time.ts";
import type { OwnershipEvent } from "../ownership/types.ts";
import type { OwnershipViews } from "../ownership/views.ts";
import type { Drain } from "./drain.ts";
import { whyNotMove } from "./moves.ts";

export interface DaemonCommandsOptions {
  readonly node: string;
  readonly clock: Clock;
  readonly drain: Pick<Drain, "ask" | "end">;
  readonly machine: () => { readonly views: Pick<OwnershipViews, "view" | "together"> };
  readonly tellOwnership: (event: OwnershipEvent) => void;
  readonly drainView: () => DrainView;
  readonly plan: () => MoveView[];
  readonly later: (milliseconds: number, run: () => void) => void;
}

/** Between two moves of a rebalancing: peers and switches learn one after the other. */
const MOVE_GAP_MS = 100;

export class DaemonCommands implements ApiCommands {
  readonly #options: DaemonCommandsOptions;

  constructor(options: DaemonCommandsOptions) {
    this.#options = options;
  }

  drain(force: boolean): DrainView {
    this.#options.drain.ask(force);
    return this.#options.drainView();
  }

  undrain(): DrainView {
    this.#options.drain.end();
    return this.#options.drainView();
  }

  move(text: string, to: string): CommandResult<MoveView> {
    const { node, clock, machine, tellOwnership } = this.#options;
    const address = parseIp(text);
    const view = address === null ? null : machine().views.view(address, clock.boot());
    if (address === null || view === null) {
      const why = 'it is no external address of a Service; see "lbctl vips"';
      const message = `Cannot move "${text}": ${why}`;
      return { ok: false, kind: "not-found", message };
    }
    const reason = whyNotMove(view, node, to) ?? this.#whyNotTogether(address, to);
    if (reason !== null) {
      const message = `Cannot move ${address} to "${to}": ${reason}`;
      return { ok: false, kind: "refused", message };
    }
    tellOwnership({ type: "move", address, to });
    return { ok: true, value: { address, from: node, to } };
  }

  /** The other address of its Service goes with it, and must be able to. */
  #whyNotTogether(address: Ip, to: string): string | null {
    const { node, clock, machine } = this.#options;
    const { views } = machine();
    for (const other of views.together(address)) {
      const view = other === address ? null : views.view(other, clock.boot());
      const reason = view === null ? null : whyNotMove(view, node, to);
      if (reason !== null) return `${other} would go with it, and ${reason}`;
    }
    return null;
  }

  rebalance(): MoveView[] {
    const { node, plan, later, tellOwnership } = this.#options;
    const moves = plan().filter(({ from }) => from === node);
    for (const [index, { address, to }] of moves.entries()) {
      const event = { type: "move", address: address as Ip, to } as const;
      later(index * MOVE_GAP_MS, () => tellOwnership(event));
    }
    return moves;
  }
}
