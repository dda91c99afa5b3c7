// This checkout as a container sees it, where README.md has users put theirs, and the files that
// README.md has them write: the unit runs as on a host.

import { readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import type { Container } from "../../lab/container.ts";

const ROOT = join(import.meta.dirname, "../../..");
const PLACE = "/opt/lbd";

/** A program of this checkout in the container. */
export const programOf = (path: string): string => `${PLACE}/${path}`;

export const NODE = programOf("node_modules/.bin/node");

/** One by one: what is not named, for example what else lies in the folder, is not seen. */
export const CHECKOUT_BINDS: Readonly<Record<string, string>> = Object.fromEntries(
  // node_modules may be a link, which would lead nowhere in there.
  ["src", "native", "test", "node_modules", "package.json"].map((name) => [
    programOf(name),
    realpathSync(join(ROOT, name)),
  ]),
);

/** A kubeconfig for an API server that is not there. */
const KUBECONFIG = `apiVersion: v1
kind: Config
current-context: lab
contexts: [{name: lab, context: {cluster: lab, user: lab}}]
clusters: [{name: lab, cluster: {server: "https://172.30.0.1:6443"}}]
users: [{name: lab, user: {token: none}}]
`;

const LBD = `#!/bin/sh
exec ${NODE} ${programOf("src/daemon/main.ts")} "$@"
`;

/** Node file, kubeconfig, /usr/sbin/lbd, and systemd/lbd.service as it is. */
export async function installLbd(container: Container): Promise<void> {
  const config = readFileSync(join(ROOT, "packaging/deb/config.yaml"), "utf8");
  await container.write("/etc/lbd/config.yaml", config);
  await container.write("/etc/lbd/kubeconfig", KUBECONFIG);
  await container.write("/usr/sbin/lbd", LBD, { mode: "755" });
  await installUnit(container, "lbd.service");
}

const USER = "id lbd >&2 || useradd --system --user-group --no-create-home lbd";

/** systemd/lbd.service under another name, with a drop-in; and the user that it runs as. */
export async function installUnit(container: Container, name: string, dropIn = ""): Promise<void> {
  const unit = readFileSync(join(ROOT, "systemd/lbd.service"), "utf8");
  await container.run(["sh", "-c", USER]);
  await container.write(`/etc/systemd/system/${name}`, unit);
  if (dropIn !== "") {
    await container.write(`/etc/systemd/system/${name}.d/test.conf`, dropIn);
  }
  await container.run(["systemctl", "daemon-reload"]);
}
