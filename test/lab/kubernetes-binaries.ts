// Where etcd, kube-apiserver, kube-proxy and kubectl are: built on first use, which takes minutes.

import { provided } from "./provided.ts";

/** The folder with the binaries. Progress of a build is shown on standard error. */
export function kubernetesBinaries(): Promise<string> {
  return provided("build-kubernetes.sh");
}
