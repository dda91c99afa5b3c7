// What the cluster lets this node do, and what else is at work in it.

import { formatSeconds } from "./durations.ts";
import type { Facts, ProcessFact } from "./facts.ts";
import { permissionText } from "./permissions.ts";
import type { DoctorFinding, Verdict } from "./verdict.ts";
import { error, foundOr, ifKnown, ok, skipped, warning } from "./verdict.ts";

const EXCLUDE_LABEL = "node.kubernetes.io/exclude-from-external-load-balancers";
const LISTED_MAX = 5;
const DAY_MS = 86_400_000;
/** A token is renewed long before this part of its life is left. */
const TOKEN_LEFT_MIN = 0.2;
/** One that lasts months is no concern earlier than this. */
const TOKEN_LEFT_MS_MAX = 14 * DAY_MS;
const CERTIFICATE_LEFT_MS_MIN = 14 * DAY_MS;

export function checkKubeProxy({ kubeProxy, processes, daemon }: Facts): Verdict {
  return ifKnown(kubeProxy, ({ answer, detail }) => {
    if (answer === "alive") return ok("kube-proxy answers on 127.0.0.1:10256");
    const running = processes.known ? processes.value : [];
    const replacement = running.find(({ name }) => REPLACEMENTS.test(name));
    if (answer === "silent" && replacement !== undefined) {
      return ok(`there is no kube-proxy; ${replacement.name} is in its place`);
    }
    const isNode = daemon.known || running.some(({ name }) => KUBELETS.test(name));
    if (!isNode) return skipped("no kubelet runs on this host");
    const isRunning = running.some(({ name }) => name === "kube-proxy");
    const what = "Packets to external addresses may not reach pods: kube-proxy is not well here";
    const cause =
      answer === "unhealthy"
        ? `127.0.0.1:10256/healthz says ${detail}`
        : `nobody answers on 127.0.0.1:10256 (${detail}), and ` +
          (isRunning ? "a kube-proxy runs" : "no kube-proxy and no replacement of it runs");
    const fix =
      "kubectl get pods -n kube-system -l k8s-app=kube-proxy -o wide, and their logs; without " +
      "kube-proxy, what serves in its place";
    return foundOr([warning(what, cause, fix)], "");
  });
}

const KUBELETS = /^(kubelet|k3s|rke2|k0s|microk8s)/;
const REPLACEMENTS = /^(cilium-agent|calico-node|kube-router|antrea-agent)$/;

interface Rival {
  readonly title: string;
  readonly isOne: (process: ProcessFact) => boolean;
  readonly fix: string;
}

const RIVALS: readonly Rival[] = [
  {
    title: "MetalLB's speaker",
    isOne: ({ name, command }) => name === "speaker" && /(^|\/)speaker( |$)/.test(command),
    fix: "lbctl import metallb says how to come over",
  },
  {
    title: "MetalLB's controller",
    isOne: ({ name, command }) =>
      name === "controller" && /--(webhook-mode|lb-class)/.test(command),
    fix: "lbctl import metallb says how to come over",
  },
  {
    title: "kube-vip",
    isOne: ({ name }) => name === "kube-vip",
    fix: "kube-vip without svc_enable, if it is to go on serving the API server's address",
  },
  {
    title: "keepalived",
    isOne: ({ name }) => name === "keepalived",
    fix: "no address of a pool in its virtual_ipaddress; systemctl disable --now keepalived",
  },
  {
    title: "PureLB",
    isOne: ({ name, command }) => name === "lbnodeagent" || /(^|\/)lbnodeagent( |$)/.test(command),
    fix: "kubectl delete namespace purelb, once its addresses are in pools of lbd",
  },
  {
    title: "OpenELB",
    isOne: ({ name }) => name === "openelb-speaker" || name === "openelb-manager",
    fix: "kubectl delete namespace openelb-system, once its addresses are in pools of lbd",
  },
];

export function checkRivals({ processes }: Facts): Verdict {
  return ifKnown(processes, (all) => {
    const findings = RIVALS.flatMap(({ title, isOne, fix }) => {
      const found = all.find(isOne);
      if (found === undefined) return [];
      const what = `Another load balancer runs on this host: ${title}`;
      const cause = `process ${found.pid}: ${found.command.slice(0, 80)}`;
      return [warning(what, `${cause}; both may answer for one address`, fix)];
    });
    return foundOr(findings, "no other load balancer runs on this host");
  });
}

export function checkApi({ credentials, missingPermissions: answer }: Facts): Verdict {
  if (!credentials.known) return skipped(credentials.why);
  if (answer.known) return ok("the Kubernetes API answers");
  const what = "The Kubernetes API does not answer to this node's credentials";
  const fix = `kubectl --kubeconfig ${credentials.value.kubeconfig} version; the API server`;
  return foundOr([error(what, answer.why, fix)], "");
}

export function checkPermissions({ missingPermissions }: Facts): Verdict {
  return ifKnown(missingPermissions, (missing) => {
    if (missing.length === 0) return ok("the credentials may do all that is needed");
    const listed = missing.slice(0, LISTED_MAX).map(permissionText);
    const more = missing.length > LISTED_MAX ? `, and ${missing.length - LISTED_MAX} more` : "";
    const what = `The credentials of this node lack ${missing.length} permissions`;
    const cause = `they may not ${listed.join(", ")}${more}`;
    return foundOr([error(what, cause, "kubectl apply -f deploy/rbac.yaml")], "");
  });
}

export function checkCredentials({ credentials, credentialProblem, now }: Facts): Verdict {
  if (credentialProblem !== null) {
    const what = "The credentials of this node cannot be used";
    const fix = "make the kubeconfig anew: lbctl join --kubeconfig admin.conf";
    return foundOr([error(what, credentialProblem, fix)], "");
  }
  return ifKnown(credentials, ({ kubeconfig, token, certificateExpiresAt }) => {
    const findings: DoctorFinding[] = [];
    if (token !== null) {
      const leftMs = token.expiresAt - now;
      const lifeMs = token.issuedAt === null ? null : token.expiresAt - token.issuedAt;
      const neededMs = Math.min((lifeMs ?? DAY_MS) * TOKEN_LEFT_MIN, TOKEN_LEFT_MS_MAX);
      if (leftMs < neededMs) findings.push(endFinding("token", leftMs, kubeconfig));
    }
    if (certificateExpiresAt !== null) {
      const leftMs = certificateExpiresAt - now;
      if (leftMs < CERTIFICATE_LEFT_MS_MIN) {
        findings.push(endFinding("client certificate", leftMs, kubeconfig));
      }
    }
    const ends = [token?.expiresAt, certificateExpiresAt].filter((at) => at != null);
    const first = Math.min(...ends);
    const note = ends.length === 0 ? "they have no end" : `good for ${left(first - now)}`;
    return foundOr(findings, note);
  });
}

function left(leftMs: number): string {
  return formatSeconds(leftMs / 1_000);
}

function endFinding(what: string, leftMs: number, kubeconfig: string): DoctorFinding {
  const fix =
    "lbctl join --kubeconfig admin.conf, with --certificate where it is one; made by hand: " +
    "kubectl create token lbd -n lbd-system";
  const cause = `in "${kubeconfig}", or in the file that it names`;
  return leftMs <= 0
    ? error(`The ${what} of this node has expired ${left(-leftMs)} ago`, cause, fix)
    : warning(`The ${what} of this node expires in ${left(leftMs)}`, cause, fix);
}

/** Where it is on some nodes, it is meant; where it is on all, kubeadm has put it there. */
export function checkExcludeLabel({ nodes, ignoreExcludeLabel }: Facts): Verdict {
  return ifKnown(nodes, (all) => {
    const excluded = all.filter(({ labels }) => labels.includes(EXCLUDE_LABEL));
    if (ignoreExcludeLabel) return ok("the label is not looked at (ignoreExcludeLabel)");
    if (all.length === 0 || excluded.length < all.length) {
      return ok(`${excluded.length} of ${all.length} nodes are excluded by label`);
    }
    const what = "No node of the cluster may own an address";
    const names = excluded.slice(0, LISTED_MAX).map(({ name }) => name);
    const cause =
      `all ${all.length} have the label ${EXCLUDE_LABEL}, which kubeadm gives to nodes of the ` +
      `control plane (${names.join(", ")})`;
    const fix =
      `kubectl label nodes ${names.join(" ")} ${EXCLUDE_LABEL}-; ` +
      "or ignoreExcludeLabel: true in the node file";
    return foundOr([error(what, cause, fix)], "");
  });
}
