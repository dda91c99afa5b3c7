// MetalLB's own Deployment and DaemonSet, as its chart makes them, as far as lbd looks at them.

export interface WorkloadOptions {
  readonly available?: number;
  /** Of the Deployment; default 1. */
  readonly replicas?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly pod?: Readonly<Record<string, unknown>>;
  readonly arguments?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Its controller has acted on the last change. */
  readonly isObserved?: boolean;
}

export function controllerObject(options: WorkloadOptions = {}): object {
  return workload("Deployment", "controller", options);
}

export function speakerObject(options: WorkloadOptions = {}): object {
  return workload("DaemonSet", "speaker", options);
}

function workload(kind: string, component: string, options: WorkloadOptions): object {
  const { available = 1, pod = {}, annotations = {}, isObserved = true } = options;
  const labels = {
    "app.kubernetes.io/name": "metallb",
    "app.kubernetes.io/component": component,
  };
  const env = Object.entries(options.environment ?? {}).map(([name, value]) => ({ name, value }));
  const container = {
    name: component,
    image: `quay.io/metallb/${component}:v0.15.2`,
    args: options.arguments ?? ["--port=7472"],
    env,
  };
  const counts =
    kind === "Deployment"
      ? { availableReplicas: available, readyReplicas: available, replicas: available }
      : { numberAvailable: available, numberReady: available };
  return {
    apiVersion: "apps/v1",
    kind,
    metadata: {
      name: component,
      namespace: "metallb-system",
      generation: 2,
      labels: options.labels ?? labels,
      annotations,
    },
    spec: {
      ...(kind === "Deployment" ? { replicas: options.replicas ?? 1 } : {}),
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { ...pod, containers: [container] } },
    },
    status: { observedGeneration: isObserved ? 2 : 1, ...counts },
  };
}
