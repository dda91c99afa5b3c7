// Operational errors: something outside this process did not do what was needed. Each has a stable
// code, which scripts may match, and a text for the operator. Expected outcomes are union values
// and never thrown; programmer errors are invariants.

export interface ErrorAbout {
  /** Of a process that ends because of it: lbctl's own (lbctl(1)), or those of sysexits.h. */
  readonly exitStatus: number;
  readonly meaning: string;
  readonly next: string;
}

const JOURNAL = "journalctl -u lbd, which says more";

/** Every code there is; docs/errors.md is made from this. */
export const ERRORS = {
  CONFIG_UNREADABLE: {
    exitStatus: 78,
    meaning: "a file that the daemon or lbctl needs cannot be read",
    next: "look at the path and its permissions",
  },
  CONFIG_INVALID: {
    exitStatus: 78,
    meaning: "the node file, or a manifest, says something that is not allowed",
    next: "edit it as the message says; lbd --check tells whether the node file is valid",
  },
  KUBECONFIG_INVALID: {
    exitStatus: 78,
    meaning: "the kubeconfig cannot be used",
    next: "sudo lbctl join --kubeconfig admin.conf makes a new one",
  },
  INTERFACE_UNKNOWN: {
    exitStatus: 78,
    meaning: "the node file names an interface that there is not",
    next: "ip -brief link, then edit the node file",
  },
  ALREADY_RUNNING: {
    exitStatus: 75,
    meaning: "another lbd of this host answers on the socket",
    next: "systemctl status lbd; end the one that should not run",
  },
  STORE_UNAVAILABLE: {
    exitStatus: 74,
    meaning: "the state file cannot be opened, or is of a newer lbd",
    next: "look at the disk; for a newer one install that version again",
  },
  SOCKET_UNAVAILABLE: {
    exitStatus: 74,
    meaning: "the socket, or the port of the status page, cannot be listened on",
    next: "look at what listens there (ss -xlp, ss -ltnp), and at the folder of the socket",
  },
  PACKET_SOCKET: {
    exitStatus: 71,
    meaning: "the kernel refuses a packet socket",
    next: "run it as the unit does: it needs CAP_NET_RAW",
  },
  NETLINK: {
    exitStatus: 71,
    meaning: "the host's interfaces cannot be read",
    next: JOURNAL,
  },
  API_UNREACHABLE: {
    exitStatus: 69,
    meaning: "the Kubernetes API gives lbctl no answer, or refuses",
    next: "look at the kubeconfig and its permissions, and at the API server",
  },
  DAEMON_UNREACHABLE: {
    exitStatus: 3,
    meaning: "the daemon does not run on this host, or gives no answer that can be read",
    next: "systemctl status lbd, and journalctl -u lbd",
  },
  DAEMON_FORBIDDEN: {
    exitStatus: 5,
    meaning: "this user may not ask the daemon that",
    next: "run it as root, or, to read only, as a member of the group lbd",
  },
  DAEMON_TIMEOUT: {
    exitStatus: 6,
    meaning: "the daemon runs and does not answer in time",
    next: JOURNAL,
  },
  VERSION_MISMATCH: {
    exitStatus: 5,
    meaning: "the daemon is of another version than lbctl",
    next: "systemctl restart lbd",
  },
  REFUSED: {
    exitStatus: 5,
    meaning: "it was understood, and will not be done",
    next: "the message says why, and what to do instead",
  },
  NOT_FOUND: {
    exitStatus: 4,
    meaning: "there is no such thing",
    next: "lbctl vips, services, pools and nodes list what there is",
  },
  USAGE: {
    exitStatus: 2,
    meaning: "the command line cannot be understood",
    next: "lbctl COMMAND --help",
  },
} as const satisfies Readonly<Record<string, ErrorAbout>>;

export type ErrorCode = keyof typeof ERRORS;

/** "Cannot <action>: <detail>", with a stable `code` and, where there is one, the cause. */
export class AppError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = "AppError";
    this.code = code;
  }

  get exitStatus(): number {
    return ERRORS[this.code].exitStatus;
  }
}

/** The text of anything that was thrown. */
export function errorText(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  if (thrown.message !== "") return thrown.message;
  const code = (thrown as { code?: unknown }).code;
  return typeof code === "string" ? code : thrown.name;
}
