// A kubeconfig for tests of what is said when there is no cluster.

/** Nobody listens on its server. */
export const NOWHERE = `
apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {cluster: k, user: u}}]
clusters: [{name: k, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: u, user: {token: t}}]
`;
