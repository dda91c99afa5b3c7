// MetalLB's old ConfigMap: one that uses every key, and a small one.

export const SMALL = `
address-pools:
- {name: default, protocol: layer2, addresses: [10.9.0.50-10.9.0.80], auto-assign: true}
`;

export const FULL = `
# Written by hand, as such files are.
address-pools:
- name: lan_Pool
  protocol: layer2
  addresses:
  - 10.9.0.50-10.9.0.80
  - fd00:9::/120
  auto-assign: no
  avoid-buggy-ips: yes
- name: edge
  protocol: bgp
  addresses: [10.9.1.0/28]
  bgp-advertisements:
  - aggregation-length: 28
    aggregation-length-v6: 127
    localpref: 100
    communities: [quiet, "64512:1"]
  - {}
- name: plain
  protocol: bgp
  addresses: [10.9.2.0/28]
peers:
- my-asn: 64600
  peer-asn: 64601
  peer-address: 10.9.0.1
  source-address: 10.9.0.9
  peer-port: 1179
  hold-time: 30s
  keepalive-time: 5s
  router-id: 10.9.0.9
  node-selectors:
  - match-labels: {rack: a}
    match-expressions:
    - {key: tier, operator: In, values: [edge]}
  password: 0123
  bfd-profile: Fast
  ebgp-multihop: true
- {my-asn: 64600, peer-asn: 64602, peer-address: 10.9.0.2, password: , peer-port: 0}
bgp-communities:
  quiet: 65535:65281
bfd-profiles:
- name: Fast
  receive-interval: 100
  transmit-interval: 150
  detect-multiplier: 5
  echo-interval: 60
  echo-mode: false
  passive-mode: true
  minimum-ttl: 10
`;

/** The same as FULL, as "lbctl config convert" prints it. */
export const FULL_CONVERTED = `apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata:
  name: lan-pool
  namespace: metallb-system
spec:
  addresses:
    - 10.9.0.50-10.9.0.80
    - fd00:9::/120
  autoAssign: false
  avoidBuggyIPs: true
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata:
  name: l2advertisement1
  namespace: metallb-system
spec:
  ipAddressPools:
    - lan-pool
---
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata:
  name: edge
  namespace: metallb-system
spec:
  addresses:
    - 10.9.1.0/28
---
apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata:
  name: bgpadvertisement1
  namespace: metallb-system
spec:
  ipAddressPools:
    - edge
  aggregationLength: 28
  aggregationLengthV6: 127
  localPref: 100
  communities:
    - quiet
    - 64512:1
---
apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata:
  name: bgpadvertisement2
  namespace: metallb-system
spec:
  ipAddressPools:
    - edge
---
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata:
  name: plain
  namespace: metallb-system
spec:
  addresses:
    - 10.9.2.0/28
---
apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata:
  name: bgpadvertisement3
  namespace: metallb-system
spec:
  ipAddressPools:
    - plain
---
apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata:
  name: peer1
  namespace: metallb-system
spec:
  myASN: 64600
  peerASN: 64601
  peerAddress: 10.9.0.1
  sourceAddress: 10.9.0.9
  peerPort: 1179
  holdTime: 30s
  keepaliveTime: 5s
  routerID: 10.9.0.9
  nodeSelectors:
    - matchLabels:
        rack: a
      matchExpressions:
        - key: tier
          operator: In
          values:
            - edge
  password: "0123"
  bfdProfile: fast
  ebgpMultiHop: true
---
apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata:
  name: peer2
  namespace: metallb-system
spec:
  myASN: 64600
  peerASN: 64602
  peerAddress: 10.9.0.2
  holdTime: 90s
---
apiVersion: metallb.io/v1beta1
kind: BFDProfile
metadata:
  name: fast
  namespace: metallb-system
spec:
  receiveInterval: 100
  transmitInterval: 150
  detectMultiplier: 5
  echoInterval: 60
  echoMode: false
  passiveMode: true
  minimumTtl: 10
---
apiVersion: metallb.io/v1beta1
kind: Community
metadata:
  name: communities
  namespace: metallb-system
spec:
  communities:
    - name: quiet
      value: 65535:65281
`;
