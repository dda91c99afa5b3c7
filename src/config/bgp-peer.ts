// BGPPeer: whom the nodes speak BGP with. v1beta2 is what is stored; v1beta1 has fewer fields and
// may say port 0 for the default. Since nothing converts, an object stored as v1beta2 may have been
// written as v1beta1, so that port 0 is good in both.

import { z } from "zod";
import type { Ip } from "../core/address.ts";
import type { DurationMs } from "../core/time.ts";
import { durationMs } from "../core/time.ts";
import { parseDuration } from "./duration.ts";
import { asNumber, duration, ipAddress, ipv4Address, selectors, UINT32_MAX } from "./fields.ts";
import type { LabelSelector } from "./label-selector.ts";
import type { Broken, ConfigProblem, RawResource, Sourced } from "./resource.ts";
import { parseSpec } from "./resource.ts";

export interface BgpPeer {
  readonly name: string;
  readonly myAsn: number;
  /** The number, or that it is to be the same as ours, or any other. */
  readonly peerAsn: number | "internal" | "external";
  /** Shown to the peer in place of `myAsn`; null: no other. */
  readonly localAsn: number | null;
  /** An address, or the interface at the other end of which the peer is. */
  readonly to: { readonly address: Ip } | { readonly interface: string };
  readonly port: number;
  readonly sourceAddress: Ip | null;
  readonly routerId: Ip | null;
  /** Null: the routing daemon's defaults. Zero: the session never expires. */
  readonly timers: { readonly holdMs: DurationMs; readonly keepaliveMs: DurationMs } | null;
  readonly connectMs: DurationMs | null;
  /** OR-ed; empty: every node. */
  readonly nodeSelectors: readonly LabelSelector[];
  /** The text, or the name of a Secret of type kubernetes.io/basic-auth; null: none. */
  readonly password: { readonly text: string } | { readonly secret: string } | null;
  readonly bfdProfile: string | null;
  readonly gracefulRestart: boolean;
  readonly ebgpMultiHop: boolean;
  /** Empty: the host's main routing table. */
  readonly vrf: string;
  /** IPv4 and IPv6 routes over one session. */
  readonly dualStackAddressFamily: boolean;
}

export const DEFAULT_PORT = 179;
const PORT_MAX = 16_384;
/** RFC 4271, 4.2: the hold time is 0, or at least 3 s; it is 16 bits of seconds. */
const HOLD_MS_MIN = 3_000;
const SECONDS_MAX = 65_535;
/** RFC 4271, 10: three keepalives in a hold time. */
const KEEPALIVES = 3;

/** netdevice(7): IFNAMSIZ less one. */
const INTERFACE_NAME = /^[\x21-\x2e\x30-\x7e]{1,15}$/;
/** tcp(7), TCP_MD5SIG: the kernel takes no longer key; FRR takes one word. */
const PASSWORD = /^[\x21-\x7e]{1,80}$/;

const commonFields = {
  myASN: asNumber,
  peerAddress: ipAddress.optional(),
  peerPort: z.int().min(0).max(PORT_MAX).default(DEFAULT_PORT),
  sourceAddress: ipAddress.optional(),
  routerID: ipv4Address.optional(),
  holdTime: duration.optional(),
  keepaliveTime: duration.optional(),
  nodeSelectors: selectors().default([]),
  password: z.string().default(""),
  bfdProfile: z.string().default(""),
  ebgpMultiHop: z.boolean().default(false),
};

export const bgpPeerV1Beta1SpecSchema = z.strictObject({
  ...commonFields,
  peerASN: asNumber,
  peerAddress: ipAddress.refine((ip) => ip !== undefined, { error: "an IP address" }),
});

export const bgpPeerSpecSchema = z.strictObject({
  ...commonFields,
  peerASN: z.int().min(0).max(UINT32_MAX).default(0),
  dynamicASN: z.enum(["internal", "external"]).optional(),
  localASN: asNumber.optional(),
  interface: z.string().default(""),
  connectTime: duration.optional(),
  passwordSecret: z
    .strictObject({ name: z.string().default(""), namespace: z.string().optional() })
    .optional(),
  enableGracefulRestart: z.boolean().default(false),
  vrf: z.string().default(""),
  dualStackAddressFamily: z.boolean().default(false),
  /** Since MetalLB 0.15 it does nothing. */
  disableMP: z.boolean().default(false),
});

type Spec = z.output<typeof bgpPeerSpecSchema>;
type Fields = Readonly<Record<string, unknown>>;

/** A peer that is valid by itself, or null. */
export function parseBgpPeer(raw: RawResource, problems: ConfigProblem[]): Sourced<BgpPeer> | null {
  const kind = "BGPPeer";
  if (raw.apiVersion === "metallb.io/v1beta1") {
    const both = (spec: Fields) => [...brokenPassword(spec), ...brokenTimers(spec)];
    const rules = { kind, schema: bgpPeerV1Beta1SpecSchema, rules: both };
    const parsed = parseSpec(raw, rules, problems);
    if (parsed === null) return null;
    const spec = bgpPeerSpecSchema.parse(raw.spec);
    return { value: bgpPeer(raw.name, spec), origin: parsed.origin };
  }
  const rules = { kind, schema: bgpPeerSpecSchema, rules: brokenRules };
  const parsed = parseSpec(raw, rules, problems);
  if (parsed === null) return null;
  return { value: bgpPeer(raw.name, parsed.value), origin: parsed.origin };
}

function bgpPeer(name: string, spec: Spec): BgpPeer {
  const secret = spec.passwordSecret?.name ?? "";
  return {
    name,
    myAsn: spec.myASN,
    peerAsn: spec.dynamicASN ?? spec.peerASN,
    localAsn: spec.localASN ?? null,
    to:
      spec.peerAddress === undefined
        ? { interface: spec.interface }
        : { address: spec.peerAddress },
    port: spec.peerPort === 0 ? DEFAULT_PORT : spec.peerPort,
    sourceAddress: spec.sourceAddress ?? null,
    routerId: spec.routerID ?? null,
    timers: timersOf(spec),
    connectMs: spec.connectTime ?? null,
    nodeSelectors: spec.nodeSelectors,
    password: secret !== "" ? { secret } : spec.password === "" ? null : { text: spec.password },
    bfdProfile: spec.bfdProfile === "" ? null : spec.bfdProfile,
    gracefulRestart: spec.enableGracefulRestart,
    ebgpMultiHop: spec.ebgpMultiHop,
    vrf: spec.vrf,
    dualStackAddressFamily: spec.dualStackAddressFamily,
  };
}

/** Either follows from the other. */
function timersOf({ holdTime, keepaliveTime }: Spec): BgpPeer["timers"] {
  if (holdTime === undefined && keepaliveTime === undefined) return null;
  const holdMs = holdTime ?? durationMs((keepaliveTime ?? 0) * KEEPALIVES);
  return { holdMs, keepaliveMs: keepaliveTime ?? durationMs(holdMs / KEEPALIVES) };
}

function brokenRules(spec: Fields): Broken[] {
  const broken: Broken[] = [];
  if (isSet(spec.peerASN) === isSet(spec.dynamicASN)) {
    broken.push({ field: "peerASN", expected: "a number, or dynamicASN, and not both" });
  }
  if (isSet(spec.peerAddress) === isSet(spec.interface)) {
    broken.push({ field: "peerAddress", expected: "an address, or interface, and not both" });
  }
  if (isSet(spec.password) && isSet((spec.passwordSecret as Fields | null | undefined)?.name)) {
    broken.push({ field: "passwordSecret", expected: "nothing beside password: keep one of them" });
  }
  const names = [...brokenName(spec, "interface"), ...brokenName(spec, "vrf")];
  const rest = [...brokenPassword(spec), ...brokenTimers(spec), ...brokenConnectTime(spec)];
  return [...broken, ...names, ...rest];
}

/** It becomes one word of a line of configuration. */
function brokenName(spec: Fields, field: "interface" | "vrf"): Broken[] {
  const name = spec[field];
  if (typeof name !== "string" || name === "" || INTERFACE_NAME.test(name)) return [];
  return [{ field, expected: "the name of an interface: up to 15 characters, no spaces" }];
}

function brokenPassword({ password }: Fields): Broken[] {
  const isWord = typeof password !== "string" || password === "" || PASSWORD.test(password);
  if (isWord) return [];
  return [{ field: "password", expected: "up to 80 characters of ASCII, without spaces" }];
}

function brokenTimers(spec: Fields): Broken[] {
  const given = [timeOf(spec.holdTime), timeOf(spec.keepaliveTime)] as const;
  const [hold, keepalive] = given;
  const holdMs = hold ?? (keepalive === null ? null : keepalive * KEEPALIVES);
  if (holdMs === null) return [];
  const field = hold === null ? "keepaliveTime" : "holdTime";
  const limit = hold === null ? "a third of a hold time, which is " : "";
  if (holdMs !== 0 && (holdMs < HOLD_MS_MIN || holdMs > SECONDS_MAX * 1_000)) {
    return [{ field, expected: `${limit}"0s", or from "3s" to "${SECONDS_MAX}s"` }];
  }
  if (keepalive === null || keepalive <= holdMs) return [];
  return [{ field: "keepaliveTime", expected: `at most holdTime, which is ${holdMs / 1_000} s` }];
}

function brokenConnectTime(spec: Fields): Broken[] {
  const time = timeOf(spec.connectTime);
  if (time === null) return [];
  const isWhole = time % 1_000 === 0;
  if (isWhole && time >= 1_000 && time <= SECONDS_MAX * 1_000) return [];
  return [{ field: "connectTime", expected: `whole seconds, from "1s" to "${SECONDS_MAX}s"` }];
}

/** Null when there is none, and when the schema has a complaint about it. */
function timeOf(raw: unknown): number | null {
  return typeof raw === "string" && raw !== "" ? parseDuration(raw) : null;
}

function isSet(raw: unknown): boolean {
  return raw !== undefined && raw !== null && raw !== "" && raw !== 0;
}
