// A pool of both families on the lab's segment, and its first addresses.

export const ADDRESS4 = "192.168.100.50";
export const ADDRESS6 = "fd00:100::50";
export const BOTH = [ADDRESS4, ADDRESS6];
export const POOL6 = `
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: lan, namespace: metallb-system}
spec: {addresses: ["192.168.100.50-192.168.100.59", "fd00:100::50-fd00:100::59"]}
`;

/** Of the spec of a Service. */
export const DUAL_STACK = { ipFamilyPolicy: "RequireDualStack", ipFamilies: ["IPv4", "IPv6"] };
