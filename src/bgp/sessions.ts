// What FRR says of its BGP and BFD sessions, from the JSON of `show bgp vrf all neighbors json`,
// `show bfd peers json` and `show bfd peers counters json`. Pure; what is missing is unknown.

/** RFC 4271 section 8.2.2: the states of a session. */
export interface SessionState {
  /** As FRR knows the peer: an address or an interface. */
  readonly neighbor: string;
  /** "": the host's main routing table. */
  readonly vrf: string;
  /** "Established", or another state of RFC 4271. */
  readonly state: string;
  readonly isUp: boolean;
  /** ms since it was established; null: it is not. */
  readonly upMs: number | null;
  /** Why it went down last, in FRR's words; null: it never did. */
  readonly lastReset: string | null;
  readonly remoteAsn: number | null;
  /** Routes that the peer was told of, all families. */
  readonly sent: number;
  readonly received: number;
  /** Messages that wait to be sent. */
  readonly queued: number;
  readonly messages: Readonly<Record<string, number>>;
  readonly bfd: BfdState | null;
}

/** RFC 5880. */
export interface BfdState {
  readonly isUp: boolean;
  /** "up", "down", "init", "shutdown". */
  readonly status: string;
  readonly diagnostic: string | null;
  readonly counters: Readonly<Record<string, number>>;
}

type Json = Readonly<Record<string, unknown>>;

const DEFAULT_VRF = "default";

/** Throws SyntaxError when it is no JSON. */
export function readSessions(neighbors: string, peers: string, counters: string): SessionState[] {
  const bfd = bfdStates(listOf(peers), listOf(counters));
  return Object.entries(objectOf(JSON.parse(neighbors))).flatMap(([vrfName, of]) => {
    const vrf = vrfName === DEFAULT_VRF ? "" : vrfName;
    return Object.entries(objectOf(of)).flatMap(([neighbor, about]) => {
      if (typeof about !== "object" || about === null) return [];
      const watched =
        "peerBfdInfo" in about ? (bfd.get(`${vrf} ${neighbor}`) ?? UNKNOWN_BFD) : null;
      return [sessionState({ neighbor, vrf }, objectOf(about), watched)];
    });
  });
}

const UNKNOWN_BFD: BfdState = { isUp: false, status: "unknown", diagnostic: null, counters: {} };

function sessionState(
  { neighbor, vrf }: Pick<SessionState, "neighbor" | "vrf">,
  about: Json,
  bfd: BfdState | null,
): SessionState {
  const families = Object.values(objectOf(about.addressFamilyInfo)).map(objectOf);
  const sum = (field: string): number =>
    families.reduce((total, family) => total + (numberOf(family[field]) ?? 0), 0);
  const messages = countsOf(objectOf(about.messageStats));
  const state = textOf(about.bgpState) ?? "unknown";
  const isUp = state === "Established";
  const dropped = numberOf(about.connectionsDropped) ?? 0;
  const reset = textOf(about.lastNotificationReason) ?? textOf(about.lastResetDueTo);
  return {
    ...{ neighbor, vrf, state, isUp, messages, bfd },
    upMs: isUp ? numberOf(about.bgpTimerUpMsec) : null,
    lastReset: isUp && dropped === 0 ? null : reset,
    remoteAsn: numberOf(about.remoteAs),
    sent: sum("sentPrefixCounter"),
    received: sum("acceptedPrefixCounter"),
    queued: messages.depthOutq ?? 0,
  };
}

function bfdStates(peers: readonly Json[], counters: readonly Json[]): Map<string, BfdState> {
  // A session that BGP knows by its interface has a link-local address here, and that interface.
  const keysOf = (one: Json): string[] => {
    const vrf = textOf(one.vrf) ?? DEFAULT_VRF;
    const names = [textOf(one.peer), textOf(one.interface)].filter((name) => name !== null);
    return names.map((name) => `${vrf === DEFAULT_VRF ? "" : vrf} ${name}`);
  };
  const counted = new Map(
    counters.flatMap((one) => keysOf(one).map((key) => [key, countsOf(one)] as const)),
  );
  return new Map(
    peers.flatMap((one) => {
      const status = textOf(one.status) ?? "unknown";
      const diagnostic = textOf(one.diagnostic);
      return keysOf(one).map((key): [string, BfdState] => {
        const about = { isUp: status === "up", status, counters: counted.get(key) ?? {} };
        return [key, { ...about, diagnostic: diagnostic === "ok" ? null : diagnostic }];
      });
    }),
  );
}

function countsOf(about: Json): Record<string, number> {
  const counts = Object.entries(about).flatMap(([name, value]) => {
    const number = numberOf(value);
    return number === null ? [] : [[name, number] as const];
  });
  return Object.fromEntries(counts);
}

function listOf(text: string): Json[] {
  const parsed: unknown = JSON.parse(text);
  return Array.isArray(parsed) ? parsed.map(objectOf) : [];
}

function objectOf(value: unknown): Json {
  return typeof value === "object" && value !== null ? (value as Json) : {};
}

function numberOf(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

/** The JSON documents that vtysh prints one after the other; a document ends where a line does. */
export function jsonDocuments(text: string): string[] {
  const documents: string[] = [];
  let lines: string[] = [];
  for (const line of text.split("\n")) {
    if (lines.length === 0 && !/^[[{]/.test(line)) continue;
    lines.push(line);
    if (!/^[\]}]\s*$/.test(line) && !/^(?:\[\]|\{\})\s*$/.test(line)) continue;
    const joined = lines.join("\n");
    if (!isJson(joined)) continue;
    documents.push(joined);
    lines = [];
  }
  return documents;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
