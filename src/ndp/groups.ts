// Membership of the multicast groups in which others ask for an address (RFC 4861 section 7.2.1):
// the kernel tells switches by MLD, and the network card what to let through. It keeps a membership
// while the link is down, and loses it with the interface. Joined through sockets that receive
// nothing themselves; the frames come through the packet socket.

import { createSocket, type Socket } from "node:dgram";
import type { Ip } from "../core/address.ts";
import { errorText } from "../core/errors.ts";
import { solicitedNodeGroup } from "./wire.ts";

/** The kernel charges each to net.core.optmem_max of its socket: 20480 bytes before Linux 6.9. */
const GROUPS_PER_SOCKET = 64;

interface Membership {
  readonly interface: string;
  readonly group: Ip;
  /** Addresses that are asked for in it. */
  readonly addresses: Set<Ip>;
  /** Null: not joined. */
  socket: GroupSocket | null;
}

interface GroupSocket {
  readonly socket: Socket;
  joined: number;
}

export class SolicitedNodeGroups {
  /** By interface and group. */
  readonly #memberships = new Map<string, Membership>();
  readonly #sockets: GroupSocket[] = [];
  #problem: string | null = null;

  /** Why a group could not be joined, or null. */
  get problem(): string | null {
    return this.#problem;
  }

  join(interfaceName: string, address: Ip): void {
    const group = solicitedNodeGroup(address);
    const key = `${interfaceName} ${group}`;
    const known = this.#memberships.get(key);
    if (known !== undefined) return void known.addresses.add(address);
    const addresses = new Set([address]);
    const membership = { interface: interfaceName, group, addresses, socket: null };
    this.#memberships.set(key, membership);
    this.#join(membership);
  }

  leave(interfaceName: string, address: Ip): void {
    const key = `${interfaceName} ${solicitedNodeGroup(address)}`;
    const membership = this.#memberships.get(key);
    membership?.addresses.delete(address);
    if (membership === undefined || membership.addresses.size > 0) return;
    this.#memberships.delete(key);
    this.#drop(membership);
  }

  /** The interface of this name is another one than before, or has come back. */
  rejoin(interfaceName: string): void {
    for (const membership of this.#memberships.values()) {
      if (membership.interface !== interfaceName) continue;
      this.#drop(membership);
      this.#join(membership);
    }
  }

  close(): void {
    for (const { socket } of this.#sockets) socket.close();
    this.#sockets.length = 0;
  }

  #join(membership: Membership): void {
    const { group, interface: name } = membership;
    try {
      const room = this.#sockets.find(({ joined }) => joined < GROUPS_PER_SOCKET) ?? this.#open();
      room.socket.addMembership(group, zoneOf(name));
      room.joined += 1;
      membership.socket = room;
      this.#problem = null;
    } catch (thrown) {
      this.#problem = `Cannot join ${group} on ${name}: ${errorText(thrown)}`;
    }
  }

  #drop(membership: Membership): void {
    const { socket: joined, group } = membership;
    if (joined === null) return;
    membership.socket = null;
    joined.joined -= 1;
    try {
      joined.socket.dropMembership(group, zoneOf(membership.interface));
    } catch {
      // The interface has gone, and its memberships with it; the socket remembers them.
    }
    if (joined.joined > 0) return;
    joined.socket.close();
    this.#sockets.splice(this.#sockets.indexOf(joined), 1);
  }

  #open(): GroupSocket {
    const socket = createSocket("udp6");
    socket.on("error", () => {});
    try {
      // Bound to where no datagram for a group arrives.
      socket.bindSync({ address: "::1", port: 0 });
    } catch (thrown) {
      socket.close();
      throw thrown;
    }
    const opened = { socket, joined: 0 };
    this.#sockets.push(opened);
    return opened;
  }
}

/** The interface as the kernel takes it for a group of IPv6 (RFC 4007 section 11). */
function zoneOf(interfaceName: string): string {
  return `::%${interfaceName}`;
}
