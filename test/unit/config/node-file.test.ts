// Tests of the node file's parser: every problem at once, each with path, found and expected; YAML
// errors with their line; defaults.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DEFAULT_EXCLUDED_INTERFACES, parseNodeFile } from "../../../src/config/node-file.ts";
import type { Problem } from "../../../src/core/problem.ts";

const UNKNOWN = { found: "an unknown key", expected: "a key that lbd knows (check the spelling)" };

function type(where: string, found: string, expected: string): Problem {
  return { where, found, expected: `a value of type ${expected}` };
}

const BAD: readonly (readonly [string, string, readonly Problem[]])[] = [
  ["an unknown key", "nodname: n1", [{ where: "nodname", ...UNKNOWN }]],
  [
    "a key that is a property of every object",
    "__proto__: 1",
    [{ where: "__proto__", ...UNKNOWN }],
  ],
  ["a text only, as of a half-written file", "kubec", [type("the document", '"kubec"', "object")]],
  ["zeros, as after a power failure", "\0\0", [type("the document", '"\\u0000\\u0000"', "object")]],
  ["a list", "- nodeName", [type("the document", '["nodeName"]', "object")]],
  ["a number for a text", "nodeName: 5", [type("nodeName", "5", "string")]],
  [
    "a text for a boolean",
    'allowInsecureApi: "yes"',
    [type("allowInsecureApi", '"yes"', "boolean")],
  ],
  [
    "a load balancer class that no Service can have",
    'loadBalancerClass: "example.com/a b"',
    [
      {
        where: "loadBalancerClass",
        found: '"example.com/a b"',
        expected: "a load balancer class (a label key)",
      },
    ],
  ],
  ["null for a list", "excludeInterfaces:", [type("excludeInterfaces", "null", "array")]],
  [
    "an upper-case node name",
    "nodeName: Node1",
    [
      {
        where: "nodeName",
        found: '"Node1"',
        expected: "a Node name (RFC 1123 subdomain, lower case)",
      },
    ],
  ],
  [
    "a relative path",
    "kubeconfig: kube",
    [{ where: "kubeconfig", found: '"kube"', expected: "an absolute path" }],
  ],
  ...["config", "a/b/c", "/config", "metallb-system/", "a/B"].map(
    (text) =>
      [
        `"${text}" for the ConfigMap`,
        `legacyConfigMap: ${text}`,
        [
          {
            where: "legacyConfigMap",
            found: `"${text}"`,
            expected: "a namespace, a slash and the name of a ConfigMap",
          },
        ],
      ] as const,
  ),
  [
    "a namespace with a dot",
    "namespace: a.b",
    [{ where: "namespace", found: '"a.b"', expected: "a namespace name (RFC 1123 label)" }],
  ],
  [
    "a name where metrics are served",
    "metrics: {address: localhost}",
    [{ where: "metrics.address", found: '"localhost"', expected: "an IPv4 or IPv6 address" }],
  ],
  [
    "a port for metrics that is none, and a key that is none",
    "metrics: {port: 65536, path: /x}",
    [
      { where: "metrics.port", found: "65536", expected: "at most 65535" },
      { where: "metrics.path", ...UNKNOWN },
    ],
  ],
  [
    "an empty group",
    'socketGroup: ""',
    [{ where: "socketGroup", found: '""', expected: "at least 1 character" }],
  ],
  [
    "a log level that is none",
    "logLevel: loud",
    [{ where: "logLevel", found: '"loud"', expected: '"debug" or "info" or "warn" or "error"' }],
  ],
  [
    "a broken regular expression",
    "excludeInterfaces: [lo, '(']",
    [{ where: "excludeInterfaces[1]", found: '"("', expected: "a regular expression" }],
  ],
  [
    "a key twice",
    "nodeName: n1\nnodeName: n2",
    [{ where: "line 2", found: "Map keys must be unique", expected: "valid YAML" }],
  ],
  [
    "a tab as indentation",
    "nodeName: n1\n\tsocket: /a",
    [
      {
        where: "line 2",
        found: "Tabs are not allowed as indentation",
        expected: "valid YAML",
      },
    ],
  ],
  [
    "an alias without anchor",
    "nodeName: *n",
    [
      {
        where: "the document",
        found: "Alias resolution is disabled",
        expected: "no anchors and aliases",
      },
    ],
  ],
  [
    "a value that holds itself",
    "nodeName: &n [*n]",
    [
      {
        where: "the document",
        found: "Alias resolution is disabled",
        expected: "no anchors and aliases",
      },
    ],
  ],
];

for (const [name, text, problems] of BAD) {
  test(`parseNodeFile() refuses ${name}`, () => {
    assert.deepEqual(parseNodeFile(text, "host"), { ok: false, problems });
  });
}

const BAD_BEACONS: readonly (readonly [string, string, string, string, string])[] = [
  ["an interval below 20 ms", "intervalMs: 19", "beacons.intervalMs", "19", "at least 20"],
  ["an interval above 1 s", "intervalMs: 1001", "beacons.intervalMs", "1001", "at most 1000"],
  ["a multiplier of 1", "multiplier: 1", "beacons.multiplier", "1", "at least 2"],
  ["a multiplier of 11", "multiplier: 11", "beacons.multiplier", "11", "at most 10"],
  ["port 0", "port: 0", "beacons.port", "0", "at least 1"],
  ["a negative hold", "restartHoldMs: -1", "beacons.restartHoldMs", "-1", "at least 0"],
  [
    "a hold of an hour",
    "restartHoldMs: 3600000",
    "beacons.restartHoldMs",
    "3600000",
    "at most 60000",
  ],
  ["port 65536", "port: 65536", "beacons.port", "65536", "at most 65535"],
];
for (const [name, text, where, found, expected] of BAD_BEACONS) {
  test(`parseNodeFile() refuses beacons with ${name}`, () => {
    const problems = [{ where, found, expected }];
    assert.deepEqual(parseNodeFile(`beacons: { ${text} }`, "host"), { ok: false, problems });
  });
}

test("parseNodeFile() refuses beacons whose hold is longer than 4 s", () => {
  const parsed = parseNodeFile("beacons: { intervalMs: 801, multiplier: 5 }", "host");
  assert.equal(parsed.ok, false);
  const [problem, ...more] = parsed.problems;
  assert.deepEqual(more, []);
  assert.equal(problem?.where, "beacons");
  assert.equal(problem?.expected, "intervalMs times multiplier at most 4000");
});

test("parseNodeFile() refuses a hold that ends before a daemon can be back", () => {
  const text = "beacons: { intervalMs: 200, multiplier: 4, restartHoldMs: 1699 }";
  const expected = "0, or at least intervalMs x (multiplier + 2) + 500, which is 1700";
  const problem = { where: "beacons.restartHoldMs", found: "1699", expected };
  assert.deepEqual(parseNodeFile(text, "host"), { ok: false, problems: [problem] });
});

const BEACON_DEFAULTS = { intervalMs: 100, multiplier: 3, port: 7_473, restartHoldMs: 10_000 };

const BEACONS: readonly (readonly [string, Readonly<Record<string, number>>])[] = [
  ["{}", {}],
  ["{ port: 9000 }", { port: 9_000 }],
  ["{ intervalMs: 800, multiplier: 5 }", { intervalMs: 800, multiplier: 5 }],
  ["{ intervalMs: 20, multiplier: 2 }", { intervalMs: 20, multiplier: 2 }],
  ["{ restartHoldMs: 0 }", { restartHoldMs: 0 }],
  ["{ restartHoldMs: 1000 }", { restartHoldMs: 1_000 }],
];
for (const [text, expected] of BEACONS) {
  test(`parseNodeFile() takes beacons: ${text}`, () => {
    const parsed = parseNodeFile(`beacons: ${text}`, "host");
    assert.ok(parsed.ok);
    assert.deepEqual(parsed.value.beacons, { ...BEACON_DEFAULTS, ...expected });
  });
}

test("parseNodeFile() takes what becomes of addresses that are freed; nothing by default", () => {
  const off = { coolDownSeconds: 0, reservationHours: 0 };
  for (const [text, expected] of [
    ["", off],
    ["allocation: {}", off],
    ["allocation: { coolDownSeconds: 86400 }", { ...off, coolDownSeconds: 86_400 }],
    ["allocation: { reservationHours: 720 }", { ...off, reservationHours: 720 }],
  ] as const) {
    const parsed = parseNodeFile(text, "host");
    assert.ok(parsed.ok);
    assert.deepEqual(parsed.value.allocation, expected);
  }
  const parsed = parseNodeFile(
    "allocation: { coolDownSeconds: -1, reservationHours: 721 }",
    "host",
  );
  assert.deepEqual(parsed.ok ? [] : parsed.problems, [
    { where: "allocation.coolDownSeconds", found: "-1", expected: "at least 0" },
    { where: "allocation.reservationHours", found: "721", expected: "at most 720" },
  ]);
});

test("parseNodeFile() refuses a second document and a list cut off, with their line", () => {
  for (const [text, line] of [
    ["nodeName: n1\n---\nnodeName: n2\n", "line 2"],
    ["nodeName: n1\nexcludeInterfaces: [lo,\n", "line 3"],
  ] as const) {
    const parsed = parseNodeFile(text, "host");
    assert.equal(parsed.ok, false, text);
    assert.equal(parsed.problems[0]?.where, line);
    assert.equal(parsed.problems[0]?.expected, "valid YAML");
  }
});

test("parseNodeFile() tells all problems at once, the host name's too", () => {
  const text = "kubeconfig: rel\nlogLevel: 1\nextra: 1\nexcludeInterfaces: ['(', '[']\n";
  const parsed = parseNodeFile(text, "not_a_name");
  assert.equal(parsed.ok, false);
  const where = parsed.problems.map((problem) => problem.where).sort();
  assert.deepEqual(where, [
    "excludeInterfaces[0]",
    "excludeInterfaces[1]",
    "extra",
    "kubeconfig",
    "logLevel",
    "nodeName",
  ]);
});

for (const text of ["", "# nothing set\n", "---\n", "{}", "~"]) {
  test(`parseNodeFile() fills in all defaults for ${JSON.stringify(text)}`, () => {
    assert.deepEqual(parseNodeFile(text, "Host.Example"), {
      ok: true,
      value: {
        nodeName: "host.example",
        kubeconfig: "/etc/lbd/kubeconfig",
        allowInsecureApi: false,
        namespace: "metallb-system",
        systemNamespace: "lbd-system",
        legacyConfigMap: "metallb-system/config",
        stateFile: "/var/lib/lbd/state.db",
        socket: "/run/lbd/lbd.sock",
        socketGroup: "lbd",
        beacons: BEACON_DEFAULTS,
        metrics: { address: "127.0.0.1", port: 7_472 },
        bgp: {
          ...{ vtysh: "/usr/bin/vtysh", vtySockets: "/run/frr" },
          ...{ routesWithoutDaemonSeconds: 300, routeMapIn: "" },
        },
        allocation: { coolDownSeconds: 0, reservationHours: 0 },
        preempt: false,
        drainOnCordon: false,
        ignoreExcludeLabel: false,
        mode: "active",
        excludeInterfaces: [...DEFAULT_EXCLUDED_INTERFACES],
        promiscuousInterfaces: [],
        logLevel: "info",
      },
    });
  });
}

test("parseNodeFile() takes what is written, and needs no good host name then", () => {
  const text = "nodeName: n1.lan\nkubeconfigContext: lab\nexcludeInterfaces: []\nlogLevel: debug\n";
  const parsed = parseNodeFile(text, "_");
  assert.ok(parsed.ok);
  const { nodeName, kubeconfigContext, excludeInterfaces, logLevel } = parsed.value;
  assert.deepEqual(
    { nodeName, kubeconfigContext, excludeInterfaces, logLevel },
    { nodeName: "n1.lan", kubeconfigContext: "lab", excludeInterfaces: [], logLevel: "debug" },
  );
});

test("parseNodeFile() does not keep the caller from changing the default exclusions", () => {
  const first = parseNodeFile("", "host");
  assert.ok(first.ok);
  first.value.excludeInterfaces.push("^eth.*");
  const second = parseNodeFile("", "host");
  assert.ok(second.ok);
  assert.deepEqual(second.value.excludeInterfaces, [...DEFAULT_EXCLUDED_INTERFACES]);
});

test("parseNodeFile() never throws, whatever the text", () => {
  const yamlish = fc.stringMatching(/^[a-z:\-[\]{}&*!|>'"#%@`?,\n\t 0-9]*$/);
  fc.assert(
    fc.property(fc.oneof(yamlish, fc.string()), (text) => {
      const parsed = parseNodeFile(text, "host");
      assert.ok(parsed.ok || parsed.problems.length > 0);
    }),
    { numRuns: 500 },
  );
});
