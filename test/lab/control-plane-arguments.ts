// The command lines of etcd and kube-apiserver in the lab.

import { join } from "node:path";
import type { CertificateAuthority, KeyPair } from "./certificates.ts";

export const API_PORT = 6443;
export const SERVICE_CIDR4 = "10.96.0.0/16";
export const SERVICE_CIDR6 = "fd00:96::/112";

/**
 * In a namespace of its own, so the usual ports are free. Not synced to disk: nothing must last.
 */
export function etcdArguments(binaries: string, dataFolder: string): string[] {
  return [
    join(binaries, "etcd"),
    `--data-dir=${dataFolder}`,
    "--listen-client-urls=http://127.0.0.1:2379",
    "--advertise-client-urls=http://127.0.0.1:2379",
    "--listen-peer-urls=http://127.0.0.1:2380",
    "--unsafe-no-fsync",
    "--log-level=warn",
  ];
}

export interface ApiServerPlan {
  readonly binaries: string;
  readonly address: string;
  readonly authority: CertificateAuthority;
  readonly serving: KeyPair;
  readonly dualStack: boolean;
  readonly extraArguments: readonly string[];
}

/**
 * Admission plug-ins that wait for controllers the lab does not run, or that would taint its nodes,
 * are off; there are no pods, so what only concerns pods is off too.
 */
const ADMISSION_OFF = [
  "ServiceAccount",
  "TaintNodesByCondition",
  "Priority",
  "DefaultTolerationSeconds",
  "StorageObjectInUseProtection",
  "RuntimeClass",
  "DefaultIngressClass",
];

export function apiServerArguments(plan: ApiServerPlan): string[] {
  const cidrs = plan.dualStack ? `${SERVICE_CIDR4},${SERVICE_CIDR6}` : SERVICE_CIDR4;
  return [
    join(plan.binaries, "kube-apiserver"),
    "--etcd-servers=http://127.0.0.1:2379",
    `--secure-port=${API_PORT}`,
    "--bind-address=0.0.0.0",
    `--advertise-address=${plan.address}`,
    `--client-ca-file=${plan.authority.certificateFile}`,
    `--tls-cert-file=${plan.serving.certificateFile}`,
    `--tls-private-key-file=${plan.serving.keyFile}`,
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${plan.authority.tokenPublicKeyFile}`,
    `--service-account-signing-key-file=${plan.authority.tokenKeyFile}`,
    "--authorization-mode=RBAC",
    `--disable-admission-plugins=${ADMISSION_OFF.join(",")}`,
    `--service-cluster-ip-range=${cidrs}`,
    "--profiling=false",
    ...plan.extraArguments,
  ];
}
