// Membership of the multicast groups in which others ask for an address (RFC 4861 section 7.2.1):
// the kernel tells switches by MLD, and the network card what to let through. It keeps a membership
// while the link is down, and loses it with the interface. Joined through sockets that receive
// nothing themselves; the frames come through the packet socket.

import { createSocket } from "node:dgram";
import type { Ip } from "../core/address.ts";
import { errorText } from "../core/errors.ts";
import { solicitedNodeGroup } from "./wire.ts";

/** The kernel charges each to net.core.optmem_max of its socket: 20480 bytes before Linux 6.9. */
const GROUPS_PER_SOCKET = 64;

/** The part of a UDP socket over IPv6 that memberships need. */
export interface GroupSocket {
  addMembership(group: string, interfaceAddress: string): void;
  dropMembership(group: string, interfaceAddress: string): void;
  close(): void;
}

export class SolicitedNodeGroups {
  readonly #interfaces = new Map<string, InterfaceGroups>();
  readonly #open: () => GroupSocket;

  constructor(open: () => GroupSocket = openSocket) {
    this.#open = open;
  }

  /** Why a group is not joined that should be, or null. */
  get problem(): string | null {
    for (const { problem } of this.#interfaces.values()) if (problem !== null) return problem;
    return null;
  }

  join(interfaceName: string, address: Ip): void {
    const known = this.#interfaces.get(interfaceName);
    const groups = known ?? new InterfaceGroups(interfaceName, this.#open);
    this.#interfaces.set(interfaceName, groups);
    groups.join(address);
  }

  leave(interfaceName: string, address: Ip): void {
    const groups = this.#interfaces.get(interfaceName);
    groups?.leave(address);
    if (groups?.isEmpty !== true) return;
    groups.close();
    this.#interfaces.delete(interfaceName);
  }

  /** The interface of this name is another one than before, or has come back. */
  rejoin(interfaceName: string): void {
    this.#interfaces.get(interfaceName)?.rejoin();
  }

  /** Tries again what could not be joined. */
  retry(): void {
    for (const groups of this.#interfaces.values()) groups.retry();
  }

  close(): void {
    for (const groups of this.#interfaces.values()) groups.close();
    this.#interfaces.clear();
  }
}

interface Membership {
  /** Addresses that are asked for in the group. */
  readonly addresses: Set<Ip>;
  /** Null: not joined. */
  room: Room | null;
  problem: string | null;
}

interface Room {
  readonly socket: GroupSocket;
  joined: number;
}

/** Has sockets of its own: those of an interface that has gone remember what they joined there. */
class InterfaceGroups {
  /** The interface as the kernel takes it for a group of IPv6 (RFC 4007 section 11). */
  readonly #zone: string;
  readonly #name: string;
  readonly #open: () => GroupSocket;
  readonly #memberships = new Map<Ip, Membership>();
  #rooms: Room[] = [];

  constructor(name: string, open: () => GroupSocket) {
    this.#zone = `::%${name}`;
    this.#name = name;
    this.#open = open;
  }

  get isEmpty(): boolean {
    return this.#memberships.size === 0;
  }

  get problem(): string | null {
    for (const { problem } of this.#memberships.values()) if (problem !== null) return problem;
    return null;
  }

  join(address: Ip): void {
    const group = solicitedNodeGroup(address);
    const known = this.#memberships.get(group);
    if (known !== undefined) return void known.addresses.add(address);
    const membership = { addresses: new Set([address]), room: null, problem: null };
    this.#memberships.set(group, membership);
    this.#join(group, membership);
  }

  leave(address: Ip): void {
    const group = solicitedNodeGroup(address);
    const membership = this.#memberships.get(group);
    membership?.addresses.delete(address);
    if (membership === undefined || membership.addresses.size > 0) return;
    this.#memberships.delete(group);
    this.#drop(group, membership);
  }

  /** The old sockets are closed behind it: no switch hears of a leave where nothing has changed. */
  rejoin(): void {
    const old = this.#rooms;
    this.#rooms = [];
    for (const [group, membership] of this.#memberships) this.#join(group, membership);
    for (const { socket } of old) socket.close();
  }

  retry(): void {
    for (const [group, membership] of this.#memberships) {
      if (membership.problem !== null) this.#join(group, membership);
    }
  }

  close(): void {
    for (const { socket } of this.#rooms) socket.close();
  }

  #join(group: Ip, membership: Membership): void {
    membership.room = null;
    try {
      const room = this.#rooms.find(({ joined }) => joined < GROUPS_PER_SOCKET) ?? this.#addRoom();
      room.socket.addMembership(group, this.#zone);
      room.joined += 1;
      membership.room = room;
      membership.problem = null;
    } catch (thrown) {
      membership.problem = `Cannot join ${group} on ${this.#name}: ${errorText(thrown)}`;
    }
  }

  #drop(group: Ip, { room }: Membership): void {
    if (room === null) return;
    room.joined -= 1;
    try {
      room.socket.dropMembership(group, this.#zone);
    } catch {
      // The interface has gone, and its memberships with it.
    }
    if (room.joined > 0) return;
    room.socket.close();
    this.#rooms.splice(this.#rooms.indexOf(room), 1);
  }

  #addRoom(): Room {
    const room = { socket: this.#open(), joined: 0 };
    this.#rooms.push(room);
    return room;
  }
}

/** Bound to where no datagram for a group arrives. */
function openSocket(): GroupSocket {
  const socket = createSocket("udp6");
  socket.on("error", () => {});
  try {
    socket.bindSync({ address: "::1", port: 0 });
  } catch (thrown) {
    socket.close();
    throw thrown;
  }
  return socket;
}
