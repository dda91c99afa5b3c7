// From objects of the Kubernetes API to where a cluster is between MetalLB and lbd.

import { expandedIp, parseIp } from "../core/address.ts";
import { decodeLease, decodeMeta, fields, isFields, list, text } from "../k8s-sync/decode.ts";
import type { Lease, ObjectMeta } from "../k8s-sync/model.ts";
import type { Announced, ControllerState, SpeakerMark, SpeakerState } from "./takeover-state.ts";
import { REPLICAS_NOTE, SPEAKER_LABEL, TAKEN_NOTE } from "./takeover-state.ts";

export interface Found {
  readonly metadata: ObjectMeta;
  readonly raw: Readonly<Record<string, unknown>>;
}

export function decodeFound(raw: unknown): Found | null {
  const metadata = decodeMeta(fields(raw).metadata);
  return metadata === null ? null : { metadata, raw: fields(raw) };
}

export function controllerOf({ metadata, raw }: Found): ControllerState {
  const { replicas } = fields(raw.spec);
  const status = fields(raw.status);
  const noted = metadata.annotations[REPLICAS_NOTE];
  return {
    name: metadata.name,
    // The API server says 1 where nothing is said.
    replicas: typeof replicas === "number" ? replicas : 1,
    pods: numberOf(status.replicas),
    available: numberOf(status.availableReplicas),
    noted: noted === undefined ? null : Number(noted),
  };
}

export function speakerOf({ metadata, raw }: Found): SpeakerState {
  const { generation } = fields(raw.metadata);
  return {
    name: metadata.name,
    isChanging: generation !== fields(raw.status).observedGeneration,
    isRestricted: SPEAKER_LABEL in fields(podOf(raw).nodeSelector),
  };
}

function podOf(raw: Found["raw"]): Found["raw"] {
  return fields(fields(fields(raw.spec).template).spec);
}

export function markOf({ labels, annotations }: ObjectMeta): SpeakerMark {
  const label = labels[SPEAKER_LABEL];
  if (label === undefined) return null;
  const wasTaken = annotations[TAKEN_NOTE] !== undefined;
  if (label === "yes") return wasTaken ? "returning" : "yes";
  return wasTaken ? "taken" : "none";
}

export interface SpeakerPod {
  readonly node: string;
  readonly isReady: boolean;
}

/** Null: it is none of that DaemonSet, or has ended. */
export function speakerPodOf(pod: Found, daemonSet: string): SpeakerPod | null {
  const owners = list(fields(pod.raw.metadata).ownerReferences).filter(isFields);
  if (!owners.some(({ kind, uid }) => kind === "DaemonSet" && uid === daemonSet)) return null;
  const { phase, conditions } = fields(pod.raw.status);
  const node = text(fields(pod.raw.spec).nodeName) ?? "";
  if (node === "" || phase === "Succeeded" || phase === "Failed") return null;
  const isReady = list(conditions)
    .filter(isFields)
    .some(({ type, status }) => type === "Ready" && status === "True");
  return { node, isReady: isReady && pod.metadata.deletionTimestamp === undefined };
}

/** What MetalLB's speakers say that they announce, by Service: a Pod owns what they say. */
export function announcedOf(
  statuses: readonly Found[],
  services: readonly Found[],
  leases: readonly Found[],
): Announced[] {
  const addresses = new Map(services.map((service) => [keyOf(service), addressesOf(service)]));
  const owners = new Map(leases.map(({ raw, metadata }) => [metadata.name, holderOf(raw)]));
  return statuses.filter(isOwnedByPod).flatMap(({ raw }) => {
    const { node, serviceName, serviceNamespace } = fields(raw.status);
    const service = `${text(serviceNamespace)}/${text(serviceName)}`;
    return (addresses.get(service) ?? []).map((address) => {
      const owner = owners.get(vipLease(address)) ?? null;
      return { service, address, speaker: text(node) ?? "", owner };
    });
  });
}

/** As the daemon names them: IPv6 fully expanded, its colons written as hyphens. */
function vipLease(address: string): string {
  const ip = parseIp(address);
  return ip === null ? "" : `lbd-vip-${expandedIp(ip).replaceAll(":", "-")}`;
}

function holderOf(raw: unknown): string | null {
  const lease: Lease | null = decodeLease(raw);
  const holder = lease?.spec.holderIdentity ?? "";
  return holder === "" ? null : holder;
}

function keyOf({ metadata: { namespace, name } }: Found): string {
  return `${namespace}/${name}`;
}

export function addressesOf({ raw }: Found): string[] {
  const { ingress } = fields(fields(raw.status).loadBalancer);
  return list(ingress)
    .filter(isFields)
    .flatMap(({ ip }) => text(ip) ?? []);
}

export function isOwnedByPod({ raw }: Found): boolean {
  const owners = list(fields(raw.metadata).ownerReferences).filter(isFields);
  return owners.some(({ kind }) => kind === "Pod");
}

function numberOf(raw: unknown): number {
  return typeof raw === "number" ? raw : 0;
}
