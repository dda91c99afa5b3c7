// BGP sessions and routes as a daemon tells them.

import type { BgpPeerView, BgpRouteView } from "../../src/api/types.ts";

export const BGP_PEERS: readonly BgpPeerView[] = [
  {
    ...{ peer: "tor", neighbor: "10.9.0.1", vrf: "", state: "Established", up: true },
    ...{ upSeconds: 3_725, asn: 64_601, sent: 12, received: 0, bfd: "up", problem: null },
  },
  {
    ...{ peer: "tor2", neighbor: "10.9.0.2", vrf: "red", state: "Active", up: false },
    ...{ upSeconds: null, asn: null, sent: 0, received: 0, bfd: null },
    problem: "Waiting for peer OPEN",
  },
];

export const BGP_ROUTES: readonly BgpRouteView[] = [
  {
    prefix: "10.0.0.10/32",
    advertisements: ["all"],
    services: ["default/web"],
    peers: [
      { peer: "tor", communities: ["64512:1"], localPref: 120 },
      { peer: "tor2", communities: [], localPref: 0 },
    ],
  },
];
