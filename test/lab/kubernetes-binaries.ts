// Where etcd, kube-apiserver, kube-proxy and kubectl are: built on first use, which takes minutes.

import { spawn } from "node:child_process";
import { join } from "node:path";

const SCRIPT = join(import.meta.dirname, "../../scripts/build-kubernetes.sh");

let folder: Promise<string> | null = null;

/** The folder with the binaries. Progress of a build is shown on standard error. */
export function kubernetesBinaries(): Promise<string> {
  folder ??= provide();
  return folder;
}

function provide(): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(SCRIPT, [], { stdio: ["ignore", "pipe", "inherit"] });
    let printed = "";
    child.stdout.on("data", (chunk: Buffer) => {
      printed += chunk.toString();
    });
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(printed.trim());
      else reject(new Error(`Cannot provide Kubernetes for the lab: ${SCRIPT} ended with ${code}`));
    });
  });
}
