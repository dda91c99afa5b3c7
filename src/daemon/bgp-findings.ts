// What is wrong with BGP on this node, each with its cause and the next thing to do. Pure.

import type { Finding } from "../api/types.ts";
import type { FrrFailure } from "../bgp/frr.ts";
import { downText } from "./bgp-reports.ts";
import { type BgpState, isOf } from "./bgp-task.ts";

export interface BgpFacts {
  readonly state: BgpState;
  /** Of the BGPPeers and their Secrets. */
  readonly namespace: string;
  /** What was changed under lbd's marks lately. */
  readonly restored: readonly string[];
  /** By name of the Secret: why it could not be read last. */
  readonly secretProblems: ReadonlyMap<string, string>;
  /** What the kernel says of wrong passwords, or null. */
  readonly signatureProblem: string | null;
}

const NEXT: Readonly<Record<FrrFailure["kind"], string>> = {
  missing: "sudo apt install frr, then set bgpd=yes and bfdd=yes in /etc/frr/daemons",
  down: "set bgpd=yes in /etc/frr/daemons, then sudo systemctl restart frr",
  denied: "sudo adduser lbd frrvty, then sudo systemctl restart lbd",
  hung: "sudo systemctl status frr; lbd keeps trying by itself",
  refused: "journalctl -u lbd -u frr",
};

export function bgpFindings(facts: BgpFacts): Finding[] {
  const { decision, failure, applied } = facts.state;
  if (failure !== null) return [failureFinding(failure)];
  return [
    ...(applied?.conflicts ?? []).map(({ text }) => conflictFinding(text)),
    ...decision.unknownPasswords.map(({ peer, why }) => passwordFinding(facts, peer, why)),
    ...staleSecrets(facts),
    ...sessionFindings(facts),
    ...[...decision.conflicts].map(([service, why]) => preferenceFinding(service, why)),
    ...(decision.isAlone ? [aloneFinding()] : []),
    ...restoredFinding(facts.restored),
  ];
}

function failureFinding({ kind, message }: FrrFailure): Finding {
  const what = "FRR cannot be driven: routes are not announced, or stay as they were";
  return { health: "failing", what, cause: message, next: NEXT[kind] };
}

function conflictFinding(cause: string): Finding {
  const what = "A BGPPeer and FRR's own configuration do not go together: it is left out";
  return { health: "failing", what, cause, next: "sudo vtysh -c 'show running-config'" };
}

function passwordFinding({ namespace }: BgpFacts, peer: string, cause: string): Finding {
  return {
    health: "failing",
    what: `BGPPeer "${peer}" is not spoken with: its password is not known`,
    cause,
    next: `kubectl describe bgppeer ${peer} -n ${namespace}`,
  };
}

/** The password that was read before is in use. */
function staleSecrets({ secretProblems, state, namespace }: BgpFacts): Finding[] {
  return state.decision.intent.peers.flatMap(({ peer }): Finding[] => {
    const { password } = peer;
    const secret = password !== null && "secret" in password ? password.secret : null;
    const cause = secret === null ? undefined : secretProblems.get(secret);
    if (secret === null || cause === undefined) return [];
    const what = `The password of BGPPeer "${peer.name}" is the one that was read before`;
    const next = `kubectl describe secret ${secret} -n ${namespace}`;
    return [{ health: "degraded", what, cause: `Secret "${secret}": ${cause}`, next }];
  });
}

function sessionFindings({ state, signatureProblem }: BgpFacts): Finding[] {
  const { decision, sessions, applied } = state;
  return decision.intent.peers.flatMap(({ peer }): Finding[] => {
    const session = sessions.find((one) => isOf(peer, one));
    if (session?.isUp === true || applied?.peers.includes(peer.name) !== true) return [];
    const why = session === undefined ? "FRR does not know of it yet" : downText(session);
    const signature = signatureProblem === null ? "" : `; ${signatureProblem}`;
    return [
      {
        health: "degraded",
        what: `The BGP session with "${peer.name}" is ${session?.state ?? "not there"}`,
        cause: why + signature,
        next: "lbctl bgp peers; then look at the router's side of it (docs/bgp.md)",
      },
    ];
  });
}

function preferenceFinding(service: string, cause: string): Finding {
  return {
    health: "degraded",
    what: `Service "${service}" is not announced by BGP`,
    cause,
    next: "give both BGPAdvertisements the same localPref, or select other Services",
  };
}

function aloneFinding(): Finding {
  return {
    health: "degraded",
    what: "This node should announce nothing by BGP, and does all the same",
    cause: "no other node is there that has BGPPeers and is well",
    next: "lbctl nodes; lbctl drain --force takes the routes back in any case",
  };
}

function restoredFinding(restored: readonly string[]): Finding[] {
  const [first] = restored;
  if (first === undefined) return [];
  const more = restored.length === 1 ? "" : ` and ${restored.length - 1} more`;
  return [
    {
      health: "degraded",
      what: "Lines of lbd in FRR's configuration were changed by somebody else, and are restored",
      cause: first + more,
      next: "write what is yours under other names than lbd-...; this goes away by itself",
    },
  ];
}
