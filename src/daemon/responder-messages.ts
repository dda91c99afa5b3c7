// What the main thread and the responder thread say to each other.

import type { Ip, IpRange } from "../core/address.ts";
import type { Mac } from "../core/mac.ts";
import type { BootMs } from "../core/time.ts";

export interface AnsweringInterface {
  readonly name: string;
  readonly index: number;
  readonly mac: Mac;
}

export type ToResponder =
  /** The interfaces with carrier on which to answer; replaces those of before. */
  | { readonly type: "interfaces"; readonly interfaces: readonly AnsweringInterface[] }
  /** What the kernel lets through: the ranges of all pools. */
  | { readonly type: "ranges"; readonly ranges: readonly IpRange[] }
  | { readonly type: "grant"; readonly address: Ip; readonly interfaces: readonly string[] }
  | { readonly type: "revoke"; readonly address: Ip }
  | { readonly type: "tenure"; readonly until: BootMs }
  | { readonly type: "announce"; readonly address: Ip }
  | { readonly type: "report" }
  | { readonly type: "stop" };

export interface LastAnswer {
  readonly at: BootMs;
  readonly to: Mac;
  readonly interface: string;
}

export interface ResponderReport {
  /** Frames by outcome, `sent`, `send-failed`, `announced`. */
  readonly counters: Readonly<Record<string, number>>;
  readonly vips: readonly {
    readonly address: Ip;
    readonly answered: number;
    readonly lastAnswer: LastAnswer | null;
  }[];
  readonly problems: readonly { readonly interface: string; readonly message: string }[];
}

export type FromResponder =
  | { readonly type: "ready"; readonly realtime: string | null }
  | {
      readonly type: "heard";
      readonly address: Ip;
      readonly interface: string;
      readonly mac: Mac;
    }
  | { readonly type: "report"; readonly report: ResponderReport };
