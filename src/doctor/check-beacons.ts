// Whether the beacons of this node and its peers get through: this host's firewall, and peers that
// are known by their Leases and are not heard.

import type { Facts, InterfaceFact, MemberFact } from "./facts.ts";
import { readIptables } from "./firewall-iptables.ts";
import { readNft } from "./firewall-nft.ts";
import { type Fate, fateIn } from "./firewall-walk.ts";
import type { Packet } from "./packet.ts";
import { servingInterfaces } from "./segments.ts";
import type { DoctorFinding, Verdict } from "./verdict.ts";
import { error, foundOr, skipped, warning } from "./verdict.ts";

export function checkFirewall(facts: Facts): Verdict {
  const { interfaces, nft, iptables } = facts;
  if (!interfaces.known) return skipped(interfaces.why);
  if (!nft.known && !iptables.known) return skipped(`${nft.why}; ${iptables.why}`);
  const serving = servingInterfaces(facts);
  const unseen = serving.filter((one) => ipv4Of(one) === undefined).map(({ name }) => name);
  const names = unseen.join(", ");
  const why = `${names} without IPv4: what becomes of beacons over IPv6 is not looked at`;
  if (unseen.length > 0 && unseen.length === serving.length) return skipped(why);
  const packets = serving.flatMap((one) => packetsOn(one, facts.beaconPort));
  const findings = packets.flatMap((packet) => {
    const fate = fateOf(packet, facts);
    return fate === null ? [] : [firewallFinding(packet, fate)];
  });
  const note = `beacons (UDP ${facts.beaconPort}) and ARP pass the firewall`;
  return foundOr(findings, unseen.length === 0 ? note : `${note}; ${why}`);
}

function ipv4Of({ addresses }: InterfaceFact) {
  return addresses.find(({ prefix }) => prefix.family === 4);
}

function packetsOn(one: InterfaceFact, port: number): Packet[] {
  const { name } = one;
  const own = ipv4Of(one);
  if (own === undefined) return [];
  return (["beacon", "arp"] as const).flatMap((kind) =>
    (["in", "out"] as const).map((direction) => {
      const segment = own.prefix;
      return { kind, direction, interface: name, segment, own: own.ip, port };
    }),
  );
}

/** The first chain that drops it, certain ones before others; null: none does. */
function fateOf(packet: Packet, { nft, iptables }: Facts): Fate | null {
  const tables = [
    ...(nft.known ? readNft(nft.value, packet, { skipIptables: iptables.known }) : []),
    ...(iptables.known ? readIptables(iptables.value, packet) : []),
  ];
  const drops = tables
    .flatMap(({ bases, chains }) => bases.map((base) => fateIn(base, chains)))
    .filter(({ verdict }) => verdict === "drop");
  return drops.find(({ certainty }) => certainty === "yes") ?? drops[0] ?? null;
}

function firewallFinding(packet: Packet, fate: Fate): DoctorFinding {
  const { kind, direction, interface: name, port } = packet;
  const may = fate.certainty === "yes" ? "drops" : "may drop";
  const tell = fate.certainty === "yes" ? error : warning;
  if (kind === "arp") {
    const way = direction === "in" ? "arrives" : "leaves";
    const cause = `${fate.by}; no neighbour is found, and none finds this host`;
    return tell(`The firewall ${may} ARP that ${way} on ${name}`, cause, "nft list ruleset");
  }
  const way = direction === "in" ? "arrive" : "leave";
  const what = `The firewall ${may} beacons that ${way} on ${name}: UDP port ${port}`;
  const cause = `${fate.by}; peers that are not heard are found dead only when their Leases expire`;
  return tell(what, cause, `${letThrough(packet, fate)}; and in the file your firewall comes from`);
}

/** A chain of nftables has a family, a table and a name; one of iptables has no family. */
function letThrough({ direction, interface: name, port }: Packet, { base }: Fate): string {
  const [table = "", chain = "", third] = base.split(" ");
  if (third !== undefined) {
    const flag = direction === "in" ? "iifname" : "oifname";
    return `nft insert rule ${base} ${flag} "${name}" udp dport ${port} accept`;
  }
  const flag = direction === "in" ? "-i" : "-o";
  return `iptables -t ${table} -I ${chain} ${flag} ${name} -p udp --dport ${port} -j ACCEPT`;
}

/** Peers that the daemon tells of itself (`filtered`) are in its own findings. */
export function checkPeers(facts: Facts): Verdict {
  const { daemon } = facts;
  if (!daemon.known) return skipped(daemon.why);
  const others = daemon.value.members.filter(({ node }) => node !== facts.node);
  const unheard = others.filter((one) => one.member === "alive" && one.daemon === null);
  const heard = others.filter((one) => one.daemon !== null && one.daemon !== "filtered");
  if (unheard.length === 0) return foundOr([], `beacons of ${heard.length} other nodes are heard`);
  return foundOr([unheardFinding(unheard, heard, facts)], "");
}

function unheardFinding(
  unheard: readonly MemberFact[],
  heard: readonly MemberFact[],
  facts: Facts,
): DoctorFinding {
  const names = unheard.slice(0, 5).map(({ node }) => `"${node}"`);
  const more = unheard.length > names.length ? ` and ${unheard.length - names.length} more` : "";
  const what = `Beacons of ${names.join(", ")}${more} are not heard here, though they live`;
  const who = heard.length === 0 ? "no other node is heard either" : `${heard.length} others are`;
  const bridges = servingInterfaces(facts).filter(({ bridge }) => isSuspect(bridge));
  const bridge = bridges[0];
  const cause =
    `their Leases are renewed, and ${who}: another segment, or something between drops UDP ` +
    `${facts.beaconPort} to 224.0.0.254 (over IPv6: ff12::6c62:64)` +
    (bridge === undefined
      ? " (a switch that snoops multicast without a querier, a filter)"
      : `; bridge ${bridge.name} of this host snoops multicast, and has no querier`);
  const interfaces = servingInterfaces(facts).map(({ name }) => name);
  const fix =
    bridge === undefined
      ? `tcpdump -ni ${interfaces[0] ?? "eth0"} udp port ${facts.beaconPort}, on both hosts; ` +
        "the switch: a querier, or no snooping for 224.0.0.0/24 (RFC 4541)"
      : `ip link set ${bridge.name} type bridge mcast_snooping 0`;
  return error(what, cause, fix);
}

function isSuspect(bridge: InterfaceFact["bridge"]): boolean {
  return bridge?.snoops === true && !bridge.queries;
}
