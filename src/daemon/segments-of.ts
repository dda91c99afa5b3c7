// What beacons need of the interfaces: those that have an address for them, as segments of the
// engine and as sockets.

import type { BeaconSegmentAddress } from "../beacon/socket.ts";
import type { AnsweringInterface } from "./responder-messages.ts";

export function segmentsOf(interfaces: readonly AnsweringInterface[]) {
  const addressed = interfaces.flatMap(({ name, mac, gateway, address }) =>
    address === null ? [] : [{ interface: name, mac, gateway, ...address }],
  );
  const sockets = addressed.map(
    ({ interface: name, ip, prefix }): BeaconSegmentAddress => ({
      interface: name,
      address: ip,
      prefix,
    }),
  );
  const segments = addressed.map(({ interface: name, mac, ip, gateway }) => ({
    interface: name,
    mac,
    address: ip,
    gateway,
  }));
  return { sockets, segments };
}
