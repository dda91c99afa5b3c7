// Whatever somebody writes into a Service: it is read without a throw, decided on without one, and
// what is told of it can be shown.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { deprecatedAnnotations, serviceRequest } from "../../../src/daemon/service-request.ts";
import { Allocator } from "../../../src/ipam/allocator.ts";
import { pool } from "../../support/ipam-requests.ts";
import { service } from "../../support/kubernetes-objects.ts";

const NAMES = ["loadBalancerIPs", "address-pool", "allow-shared-ip", "x", ""];
const annotationNames = fc.oneof(
  fc.string({ unit: "binary" }),
  fc
    .tuple(fc.constantFrom("metallb.io/", "metallb.universe.tf/"), fc.constantFrom(...NAMES))
    .map((parts) => parts.join("")),
);
const texts = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom("", ",", "10.0.0.1", "10.0.0.1,2001:db8::1", " 10.0.0.1 , ", "10.0.0.0/24"),
  fc.string({ unit: fc.constantFrom("1", ".", ":", ",", "/", " ", "f", "\n") }),
);
const specs = fc.record(
  {
    loadBalancerIP: texts,
    clusterIPs: fc.array(fc.oneof(texts, fc.constantFrom("10.96.0.1", "fd00::1")), {
      maxLength: 3,
    }),
    ipFamilyPolicy: texts,
    externalTrafficPolicy: fc.oneof(texts, fc.constant("Local")),
    selector: fc.dictionary(texts, texts),
    ports: fc.array(fc.record({ port: fc.integer(), protocol: texts }), { maxLength: 3 }),
  },
  { requiredKeys: [] },
);

test("serviceRequest() and decide() of any Service: an address of a pool, or words", () => {
  const allocator = new Allocator();
  allocator.configure([pool("p", ["10.0.0.0/24", "2001:db8::/120"])], new Map());
  fc.assert(
    fc.property(
      fc.dictionary(annotationNames, texts),
      specs,
      fc.array(texts, { maxLength: 3 }),
      (annotations, spec, ips) => {
        const one = service("ns/a", { annotations, spec, ips });
        assert.ok(deprecatedAnnotations(one).length <= Object.keys(annotations).length);
        const decision = allocator.decide(serviceRequest(one));
        for (const address of decision.addresses) {
          assert.match(address, /^(10\.0\.0\.\d+|2001:db8::[0-9a-f]{0,2})$/);
        }
        if (decision.kind !== "pending") return;
        assert.notEqual(decision.detail, "");
        assert.doesNotMatch(decision.detail, /\p{Cc}/u, "no control characters");
        assert.ok(decision.detail.length < 2_000);
      },
    ),
    { numRuns: 2_000 },
  );
});
