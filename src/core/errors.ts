// Operational errors: something outside this process did not do what was needed. Each has a stable
// code, which scripts may match, and a text for the operator. Expected outcomes are union values
// and never thrown; programmer errors are invariants.

/** Every code there is, with the exit status of a process that ends because of it. */
export const ERROR_CODES = {
  CONFIG_UNREADABLE: 78,
  CONFIG_INVALID: 78,
  KUBECONFIG_INVALID: 78,
  INTERFACE_UNKNOWN: 78,
  ALREADY_RUNNING: 75,
  STORE_UNAVAILABLE: 74,
  SOCKET_UNAVAILABLE: 74,
  PACKET_SOCKET: 71,
  NETLINK: 71,
  API_UNREACHABLE: 69,
  DAEMON_UNREACHABLE: 3,
  DAEMON_FORBIDDEN: 5,
  DAEMON_TIMEOUT: 6,
  VERSION_MISMATCH: 5,
  REFUSED: 5,
  NOT_FOUND: 4,
  USAGE: 2,
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** "Cannot <action>: <detail>", with a stable `code` and, where there is one, the cause. */
export class AppError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = "AppError";
    this.code = code;
  }

  get exitStatus(): number {
    return ERROR_CODES[this.code];
  }
}

/** The text of anything that was thrown. */
export function errorText(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  if (thrown.message !== "") return thrown.message;
  const code = (thrown as { code?: unknown }).code;
  return typeof code === "string" ? code : thrown.name;
}
