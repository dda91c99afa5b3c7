// A pool for a bench whose addresses are in no prefix of the lab: its L2Advertisement names the
// interface.

export function poolConfiguration(name: string, addresses: string): string {
  return `
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: ${name}, namespace: metallb-system}
spec: {addresses: [${addresses}]}
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: {name: ${name}, namespace: metallb-system}
spec: {ipAddressPools: [${name}], interfaces: [eth0]}
`;
}
