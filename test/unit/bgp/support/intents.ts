// What is to be said by BGP, put together for tests from the specs of the resources.

import assert from "node:assert/strict";
import type {
  BgpIntent,
  PeerIntent,
  RouteAttributes,
  RouteClass,
} from "../../../../src/bgp/intent.ts";
import { type BfdProfile, parseBfdProfile } from "../../../../src/config/bfd-profile.ts";
import { parseBgpPeer } from "../../../../src/config/bgp-peer.ts";
import type { ConfigProblem, RawResource } from "../../../../src/config/resource.ts";

type Spec = Readonly<Record<string, unknown>>;

export function peer(name: string, spec: Spec): PeerIntent {
  const problems: ConfigProblem[] = [];
  const parsed = parseBgpPeer(raw("BGPPeer", name, spec, "v1beta2"), problems);
  assert.deepEqual(problems, []);
  assert.ok(parsed !== null);
  const { password } = parsed.value;
  return {
    peer: parsed.value,
    password: password !== null && "text" in password ? password.text : null,
  };
}

export function bfdProfile(name: string, spec: Spec): BfdProfile {
  const problems: ConfigProblem[] = [];
  const parsed = parseBfdProfile(raw("BFDProfile", name, spec, "v1beta1"), problems);
  assert.deepEqual(problems, []);
  assert.ok(parsed !== null);
  return parsed.value;
}

/** `peers`: what is told to each, where it is not the usual. */
export function routeClass(
  name: string,
  prefixes: readonly string[],
  peers: Readonly<Record<string, Partial<RouteAttributes>>>,
): RouteClass {
  const all = Object.entries(peers).map(
    ([peerName, own]) => [peerName, { communities: [], localPref: 0, ...own }] as const,
  );
  return {
    name,
    prefixes: prefixes.map((text) => ({ family: text.includes(":") ? 6 : 4, text })),
    peers: new Map(all),
  };
}

export function intentOf({
  peers = [],
  profiles = [],
  classes = [],
}: {
  readonly peers?: readonly PeerIntent[];
  readonly profiles?: readonly BfdProfile[];
  readonly classes?: readonly RouteClass[];
}): BgpIntent {
  return { peers, bfdProfiles: profiles, classes, routeMapIn: null };
}

function raw(kind: string, name: string, spec: Spec, version: string): RawResource {
  const about = { kind, name, namespace: "metallb-system", apiVersion: `metallb.io/${version}` };
  return { ...about, spec } as unknown as RawResource;
}
