// The account under which the daemon of a node speaks to the Kubernetes API: its service account in
// lbd's namespace, or the common name of its client certificate.

export function nodeAccount(node: string): string {
  return `lbd-node-${node}`;
}

/** Where the identity of the cluster is kept in the state file. */
export const CLUSTER_SETTING = "cluster-uid";

/** Its UID is what tells one cluster from another: it is never deleted. */
export const IDENTITY_NAMESPACE = "kube-system";
