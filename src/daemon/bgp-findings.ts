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
  down: "set bgpd=yes and bfdd=yes in /etc/frr/daemons, then sudo systemctl restart frr",
  denied: "sudo adduser lbd frrvty, then sudo systemctl restart lbd",
  hung: "sudo systemctl status frr; lbd keeps trying by itself",
  unwritten: "df -h /var/lib/lbd",
  refused: "journalctl -u lbd -u frr",
};

export function bgpFindings(facts: BgpFacts): Finding[] {
  const { decision, failure, applied } = facts.state;
  if (failure !== null) return [failureFinding(failure)];
  return [
    ...(applied?.conflicts ?? []).map(({ text }) => conflictFinding(text)),
    ...(applied?.refused == null ? [] : [refusedFinding(applied.refused)]),
    ...decision.unknownPasswords.map(({ peer, why }) => passwordFinding(facts, peer, why)),
    ...staleSecrets(facts),
    ...sessionFindings(facts),
    ...[...decision.conflicts].map(([service, why]) => preferenceFinding(service, why)),
    ...aloneFinding(decision),
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

function refusedFinding(cause: string): Finding {
  const what = "FRR does not take all that it is told; the rest of it is in use";
  const next = "change the BGPPeer or BFDProfile that the line is of; bfdd=yes in /etc/frr/daemons";
  return { health: "failing", what, cause, next };
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

/** FRR's default is no, and it holds for all that is configured in FRR. */
const FAR = 'a peer that only the default route leads to needs "ip nht resolve-via-default" in FRR';

function sessionFindings({ state, signatureProblem }: BgpFacts): Finding[] {
  const { decision, sessions, applied } = state;
  return decision.intent.peers.flatMap(({ peer }): Finding[] => {
    const session = sessions.find((one) => isOf(peer, one));
    if (session?.isUp === true || applied?.peers.includes(peer.name) !== true) return [];
    const why = session === undefined ? "FRR does not know of it yet" : downText(session);
    const signature = signatureProblem === null ? "" : `; ${signatureProblem}`;
    const far = peer.ebgpMultiHop ? `; ${FAR}` : "";
    return [
      {
        health: "degraded",
        what: `The BGP session with "${peer.name}" is ${session?.state ?? "not there"}`,
        cause: why + signature + far,
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

function aloneFinding({ withheld, announced }: BgpState["decision"]): Finding[] {
  const [first] = announced.keys();
  if (withheld === null || first === undefined) return [];
  const more = announced.size === 1 ? "" : ` and ${announced.size - 1} more`;
  return [
    {
      health: "degraded",
      what: `This node should announce nothing by BGP (${withheld}), and does: "${first}"${more}`,
      cause: "no other node that is well could announce it",
      next: "lbctl nodes; lbctl drain --force takes the routes back in any case",
    },
  ];
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
