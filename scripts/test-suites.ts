// The suites of `make test`, in the order they run (fast ones first), and their limits. A new suite
// is one row here and a folder of that name in test/.

export interface Suite {
  readonly name: string;
  /** Test files at a time. Where time is measured they run alone. */
  readonly concurrency: number;
  readonly testSecondsMax: number;
  readonly suiteSecondsMax: number;
  /** Makes network namespaces or containers: needs root, and sweeps up after dead runs. */
  readonly lab?: boolean;
  /** Scripts that provide what the suite needs; run before the suite's time begins. */
  readonly providers?: readonly string[];
}

export const SUITES: readonly Suite[] = [
  { name: "unit", concurrency: 2, testSecondsMax: 60, suiteSecondsMax: 600 },
  {
    name: "contract",
    concurrency: 2,
    testSecondsMax: 60,
    suiteSecondsMax: 600,
    providers: ["provide-prometheus.sh"],
  },
  { name: "repo", concurrency: 2, testSecondsMax: 120, suiteSecondsMax: 600 },
  { name: "sim", concurrency: 2, testSecondsMax: 900, suiteSecondsMax: 1800 },
  { name: "netns", concurrency: 1, testSecondsMax: 120, suiteSecondsMax: 1800, lab: true },
  {
    name: "ipv6",
    concurrency: 1,
    testSecondsMax: 300,
    suiteSecondsMax: 1800,
    lab: true,
    providers: ["build-kubernetes.sh"],
  },
  {
    name: "systemd",
    concurrency: 1,
    testSecondsMax: 120,
    suiteSecondsMax: 600,
    lab: true,
    providers: ["build-image.sh", "provide-routing.sh"],
  },
  // Builds the package twice, and tries it in containers, alone and in a cluster.
  {
    name: "deb",
    concurrency: 1,
    testSecondsMax: 600,
    suiteSecondsMax: 1800,
    lab: true,
    providers: ["provide-deb.sh", "build-image.sh", "build-kubernetes.sh"],
  },
  {
    name: "ui",
    concurrency: 1,
    testSecondsMax: 120,
    suiteSecondsMax: 600,
    lab: true,
    providers: ["build-kubernetes.sh"],
  },
  {
    name: "bgp",
    concurrency: 2,
    testSecondsMax: 300,
    suiteSecondsMax: 1800,
    lab: true,
    providers: ["build-kubernetes.sh", "provide-routing.sh"],
  },
  // They measure how long nobody answers.
  {
    name: "ownership",
    concurrency: 1,
    testSecondsMax: 300,
    suiteSecondsMax: 3600,
    lab: true,
    providers: ["build-kubernetes.sh"],
  },
  // These wait for what happens, however long it takes.
  {
    name: "cluster",
    concurrency: 2,
    testSecondsMax: 300,
    suiteSecondsMax: 3600,
    lab: true,
    providers: ["build-kubernetes.sh", "provide-prometheus.sh"],
  },
  {
    name: "metallb",
    concurrency: 2,
    testSecondsMax: 300,
    suiteSecondsMax: 1200,
    lab: true,
    providers: ["build-kubernetes.sh"],
  },
];

export const SUITE_NAMES: readonly string[] = SUITES.map((suite) => suite.name);

/** The table's row with what the environment overrides: LBD_TEST_{CONCURRENCY,SECONDS}, ... */
export function withOverrides(suite: Suite, environment: NodeJS.ProcessEnv): Suite {
  const number = (name: string, otherwise: number) => {
    const text = environment[name];
    if (text === undefined || text === "") return otherwise;
    const value = Number(text);
    if (!(value > 0)) throw new Error(`Cannot run tests: ${name} is "${text}", not a number`);
    return value;
  };
  return {
    ...suite,
    concurrency: number("LBD_TEST_CONCURRENCY", suite.concurrency),
    testSecondsMax: number("LBD_TEST_SECONDS", suite.testSecondsMax),
    suiteSecondsMax: number("LBD_SUITE_SECONDS", suite.suiteSecondsMax),
  };
}
