// What the kernel does beside lbd: answers by ARP of its own, and packets that it drops because
// they came in by another interface than it would answer through.

import { rangeContains } from "../core/address.ts";
import type { Facts, InterfaceFact, PoolFact } from "./facts.ts";
import { servingInterfaces } from "./segments.ts";
import type { DoctorFinding, Verdict } from "./verdict.ts";
import { error, foundOr, ifKnown, warning } from "./verdict.ts";

/** kube-proxy in IPVS mode binds every address of every Service to it. */
const IPVS_INTERFACE = "kube-ipvs0";
/** linux/ip-sysctl: answer only for addresses of the interface that was asked on. */
const ARP_IGNORE_NEEDED = 1;
/** linux/ip-sysctl: never name an address of another interface in a request. */
const ARP_ANNOUNCE_NEEDED = 2;
/** RFC 3704 strict reverse path. */
const RP_FILTER_STRICT = 1;

const STRICT_ARP =
  "kubectl edit configmap kube-proxy -n kube-system (ipvs.strictARP: true), then " +
  "kubectl rollout restart daemonset kube-proxy -n kube-system";

export function checkArp(facts: Facts): Verdict {
  return ifKnown(facts.interfaces, (interfaces) => {
    const ipvs = interfaces.find(({ name }) => name === IPVS_INTERFACE);
    if (ipvs === undefined) return foundOr([], "kube-proxy binds no addresses to this host");
    const findings = servingInterfaces(facts).flatMap((one) => arpFinding(one, ipvs, facts));
    return foundOr(findings, `${IPVS_INTERFACE} is there, and ARP is strict`);
  });
}

function arpFinding(one: InterfaceFact, ipvs: InterfaceFact, facts: Facts): DoctorFinding[] {
  const { name, sysctls } = one;
  if (sysctls === null || name === IPVS_INTERFACE) return [];
  const { arpIgnore, arpAnnounce } = sysctls;
  if (arpIgnore >= ARP_IGNORE_NEEDED && arpAnnounce >= ARP_ANNOUNCE_NEEDED) return [];
  const held = ipvs.addresses.filter(({ ip }) => isOfPool(ip, facts)).map(({ ip }) => ip);
  const evidence = held.length === 0 ? "" : `; it has ${held.slice(0, 3).join(", ")} of the pools`;
  const what = `The kernel answers on ${name} for the addresses that IPVS has bound to this host`;
  const cause =
    `kube-proxy is in IPVS mode without strict ARP: arp_ignore is ${arpIgnore} ` +
    `(at least ${ARP_IGNORE_NEEDED} is needed), arp_announce ${arpAnnounce} ` +
    `(${ARP_ANNOUNCE_NEEDED}), the larger of "all" and "${name}" each${evidence}`;
  return [error(what, cause, STRICT_ARP)];
}

function isOfPool(ip: Parameters<typeof rangeContains>[1], { pools }: Facts): boolean {
  const all = pools.known ? pools.value : [];
  return all.some(({ ranges }) => ranges.some((range) => rangeContains(range, ip)));
}

export function checkReversePath(facts: Facts): Verdict {
  return ifKnown(facts.interfaces, (interfaces) => {
    const routed = interfaces.filter(({ isDefaultRoute }) => isDefaultRoute);
    const findings = servingInterfaces(facts).flatMap((one) => reverseFinding(one, routed));
    return foundOr(findings, "no packet to an address of a pool is dropped for its way back");
  });
}

/** Strict is right where the way back is the way in. */
function reverseFinding(one: InterfaceFact, routed: readonly InterfaceFact[]): DoctorFinding[] {
  const { name, sysctls, isDefaultRoute } = one;
  const other = routed[0];
  if (sysctls?.rpFilter !== RP_FILTER_STRICT || isDefaultRoute || other === undefined) return [];
  const what = `Clients beyond a router may reach no address that is answered for on ${name}`;
  const cause =
    `rp_filter is strict (1) on ${name}, and the default route leads through ${other.name}: ` +
    "packets from elsewhere are dropped, as their answers would leave by another interface";
  const fix =
    `sysctl -w net.ipv4.conf.${name}.rp_filter=2, and the same line in ` +
    "/etc/sysctl.d/90-lbd.conf; or a route back through it";
  return [warning(what, cause, fix)];
}

export function checkLinks(facts: Facts): Verdict {
  const { interfaces, pools } = facts;
  return ifKnown(interfaces, (all) =>
    ifKnown(pools, (known) => {
      if (known.length === 0) return foundOr([], "there is no pool yet");
      const able = servingInterfaces(facts);
      const dead = able.filter(({ hasCarrier }) => !hasCarrier).map(carrierFinding);
      const none = able.length === 0 ? [nowhereFinding(known, all)] : [];
      const where = able.map(({ name }) => name).join(", ");
      return foundOr([...dead, ...none], `pools are answered for on ${where}`);
    }),
  );
}

function carrierFinding({ name, isUp }: InterfaceFact): DoctorFinding {
  const what = `Nothing is answered for on ${name}, which lies in the network of a pool`;
  if (!isUp) return error(what, "the interface is down", `ip link set ${name} up`);
  const fix = `the cable or the switch port; ethtool ${name}, ip -s link show ${name}`;
  return error(what, "the interface is up and has no carrier", fix);
}

function nowhereFinding(
  pools: readonly PoolFact[],
  interfaces: readonly InterfaceFact[],
): DoctorFinding {
  const what = "This node can answer for no pool";
  const names = pools.map(({ name }) => `"${name}"`).slice(0, 5);
  const looked = interfaces
    .filter(({ canAnswer }) => canAnswer)
    .map(({ name }) => name)
    .join(", ");
  const cause =
    `no interface has an address in the network of ${names.join(", ")} ` +
    `(looked at ${looked === "" ? "none that speaks ARP" : looked})`;
  const fix = "ip -brief address; lbctl pools; or excludeInterfaces in the node file";
  return warning(what, cause, fix);
}

export function checkAddresses(facts: Facts): Verdict {
  return ifKnown(facts.interfaces, (interfaces) =>
    ifKnown(facts.pools, () => {
      const findings = interfaces.flatMap((one) => addressFindings(one, facts));
      const { daemon } = facts;
      const withheld = daemon.known ? daemon.value.withheld : [];
      const wire = withheld.map(({ address, because }) => usedFinding(address, because));
      const seen = findings.map(({ what }) => what);
      const rest = wire.filter(({ what }) => !seen.includes(what));
      return foundOr([...findings, ...rest], "no host has an address of a pool, as far as known");
    }),
  );
}

function addressFindings({ name, addresses }: InterfaceFact, facts: Facts): DoctorFinding[] {
  // What IPVS binds is no host's: whether it does harm is a question of ARP.
  if (name === IPVS_INTERFACE) return [];
  const own = addresses.filter(({ ip }) => isOfPool(ip, facts));
  return own.map(({ ip, prefix }) => {
    const cause = `interface ${name} of this host has it, and the kernel answers for it`;
    const fix = `ip address del ${ip}/${prefix.length} dev ${name}; or a pool without it`;
    return error(usedText(ip), cause, fix);
  });
}

function usedText(address: string): string {
  return `${address} of a pool is in use by a host`;
}

function usedFinding(address: string, because: string): DoctorFinding {
  const fix = `a pool without it, or another address for who has it; lbctl explain ${address}`;
  return warning(usedText(address), because, fix);
}
