// What a real API server makes of the samples under the schemas of deploy/crds.yaml: it refuses
// what lbd refuses, as far as a schema can, and accepts all that lbd accepts.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ControlPlane } from "../lab/control-plane.ts";
import { eventually } from "../lab/eventually.ts";
import { labForSuite } from "../lab/for-test.ts";
import type { Sample } from "../support/metallb-samples.ts";
import { BAD, GOOD, versionOf } from "../support/metallb-samples.ts";

const NAMESPACE = "metallb-system";
const PEER = { myASN: 64_600, peerASN: 64_601, peerAddress: "10.9.0.1" };

function manifest(sample: Sample, name: string): string {
  const apiVersion = `metallb.io/${versionOf(sample)}`;
  const metadata = { name, namespace: NAMESPACE };
  return JSON.stringify({ apiVersion, kind: sample.kind, metadata, spec: sample.spec ?? {} });
}

describe("custom resource definitions", () => {
  let controlPlane: ControlPlane;

  labForSuite({ nodes: 1 }, async (lab) => {
    controlPlane = await ControlPlane.start(lab);
    await controlPlane.installLbd();
  });

  /** Which of the samples are accepted, and why the others are not, in words of the server. */
  const tryAll = async (samples: readonly Sample[]) => {
    const input = samples.map((sample, index) => manifest(sample, `s${index}`)).join("\n---\n");
    const argv = ["create", "--dry-run=server", "-o", "name", "-f", "-"];
    const { stdout, stderr } = await controlPlane.tryKubectl(argv, { input });
    const accepted = new Set([...stdout.matchAll(/\/s(\d+)$/gm)].map((match) => Number(match[1])));
    return { accepted, stderr };
  };

  test("the API server accepts every sample that lbd accepts", async () => {
    const { accepted, stderr } = await tryAll(GOOD);
    const refused = GOOD.filter((_, index) => !accepted.has(index)).map(({ title }) => title);
    assert.deepEqual(refused, [], stderr);
  });

  test("the API server refuses every sample that a schema can tell is bad", async () => {
    const { accepted, stderr } = await tryAll(BAD);
    const titlesOf = (isAccepted: (sample: (typeof BAD)[number], index: number) => boolean) =>
      BAD.filter(isAccepted).map(({ kind, title }) => `${kind}: ${title}`);
    const expected = titlesOf((sample) => sample.api === "accepts");
    assert.deepEqual(
      titlesOf((_, index) => accepted.has(index)),
      expected,
      stderr,
    );
  });

  test("enableGracefulRestart cannot be changed", async () => {
    const spec = { ...PEER, enableGracefulRestart: true };
    const peer = (changed: object): string =>
      manifest({ title: "", kind: "BGPPeer", spec: { ...spec, ...changed } }, "graceful");
    await controlPlane.apply(peer({}));
    await controlPlane.apply(peer({ ebgpMultiHop: true }));
    const input = peer({ enableGracefulRestart: false });
    const { stderr } = await controlPlane.tryKubectl(["apply", "-f", "-"], { input });
    assert.match(stderr, /enableGracefulRestart cannot be changed/);
  });

  test("a BGPPeer written as v1beta1 is read as v1beta2, and the other way round", async () => {
    const old = { title: "", kind: "BGPPeer", version: "v1beta1", spec: PEER } as const;
    await controlPlane.apply(manifest(old, "old"));
    interface Peer {
      readonly apiVersion: string;
      readonly spec: Readonly<Record<string, unknown>>;
    }
    const at = ["old", "-n", NAMESPACE] as const;
    const read = await controlPlane.get<Peer>("bgppeers.v1beta2.metallb.io", ...at);
    assert.deepEqual([read.apiVersion, read.spec.peerAddress], ["metallb.io/v1beta2", "10.9.0.1"]);
    const back = await controlPlane.get<Peer>(
      "bgppeers.v1beta1.metallb.io",
      "graceful",
      ...at.slice(1),
    );
    assert.deepEqual([back.apiVersion, back.spec.vrf], ["metallb.io/v1beta1", undefined]);
  });

  test("kubectl shows the columns of BGP resources", async () => {
    await controlPlane.apply(
      manifest({ title: "", kind: "BFDProfile", spec: { detectMultiplier: 5 } }, "fast"),
    );
    const rows = async (kind: string): Promise<string[]> =>
      (await controlPlane.kubectl(["get", kind, "-n", NAMESPACE])).trim().split(/ *\n/);
    const [head, , old] = await rows("bgppeers");
    assert.match(head ?? "", /^NAME +ADDRESS +ASN +BFD PROFILE +MULTI HOPS$/);
    assert.match(old ?? "", /^old +10\.9\.0\.1 +64601/);
    const [profiles, fast] = await rows("bfdprofiles");
    assert.match(
      profiles ?? "",
      /^NAME +PASSIVE MODE +TRANSMIT INTERVAL +RECEIVE INTERVAL +MULTIPLIER$/,
    );
    assert.match(fast ?? "", /^fast .* 5$/);
  });

  test("a definition with a conversion webhook that is gone gives way to lbd's", async () => {
    const webhook = {
      clientConfig: { service: { namespace: NAMESPACE, name: "gone", path: "/convert" } },
      conversionReviewVersions: ["v1"],
    };
    const patch = { spec: { conversion: { strategy: "Webhook", webhook } } };
    const crd = ["crd", "bgppeers.metallb.io"];
    await controlPlane.kubectl([...["patch", ...crd, "--type=merge", "-p", JSON.stringify(patch)]]);
    const old = () =>
      controlPlane.tryKubectl(["get", "bgppeers.v1beta1.metallb.io", "-n", NAMESPACE]);
    await eventually("reads that need the webhook to fail", old, {
      timeoutMs: 30_000,
      until: ({ code }) => code !== 0,
    });
    await controlPlane.installLbd();
    await eventually("reads in the version that is not stored", old, {
      timeoutMs: 30_000,
      until: ({ code }) => code === 0,
    });
  });
});
