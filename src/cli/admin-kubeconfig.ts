// The kubeconfig of an administrator, for commands that speak to the Kubernetes API themselves.

import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { AppError, type ErrorCode } from "../core/errors.ts";

const KUBEADM = "/etc/kubernetes/admin.conf";

/** As kubectl finds it; on a control plane that has none, kubeadm's. */
export function adminKubeconfig(fromEnvironment = ""): string {
  const [first = ""] = fromEnvironment.split(":");
  if (first !== "") return first;
  const own = join(homedir(), ".kube", "config");
  if (existsSync(own)) return own;
  if (existsSync(KUBEADM)) return KUBEADM;
  const message = 'Cannot find a kubeconfig: name one with "--kubeconfig", or set KUBECONFIG';
  throw new AppError("USAGE", message);
}

const CODES: Partial<Record<ErrorCode, ErrorCode>> = {
  API_UNREACHABLE: "DAEMON_UNREACHABLE",
  KUBECONFIG_INVALID: "USAGE",
};

/** The exit statuses of lbctl are fewer than those of the daemon. */
export async function reached<T>(act: () => T | Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    const code = CODES[thrown.code] ?? thrown.code;
    throw new AppError(code, thrown.message, { cause: thrown });
  }
}
