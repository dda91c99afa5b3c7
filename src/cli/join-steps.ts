// What lbctl bootstrap, join and leave have done, one line each; and how it is shown.

export type StepChange = "created" | "changed" | "unchanged" | "wrote" | "removed" | "absent";

export interface Step {
  readonly change: StepChange;
  readonly what: string;
}

export interface JoinView {
  readonly node: string;
  /** UID of the namespace kube-system. */
  readonly cluster: string;
  readonly server: string;
  readonly steps: readonly Step[];
  /** What the operator has to know or do. */
  readonly notices: readonly string[];
  /** Whether the daemon of this host works with it; null: it does not run. */
  readonly reachable: boolean | null;
}

const NO_CHANGE: readonly StepChange[] = ["unchanged", "absent"];

export function isChange({ change }: Step): boolean {
  return !NO_CHANGE.includes(change);
}

export function stepLines(steps: readonly Step[]): string[] {
  return steps.map(({ change, what }) => `${change.padEnd(9)}  ${what}`);
}

export function joinText({ item }: { readonly item: JoinView }): string {
  const { node, server, steps, notices, reachable } = item;
  const lines = stepLines(steps);
  if (!steps.some(isChange)) lines.push("nothing changed");
  lines.push(...notices.map((notice) => `note: ${notice}`));
  lines.push(endOf({ node, server, reachable }));
  return `${lines.join("\n")}\n`;
}

function endOf({ node, server, reachable }: Pick<JoinView, "node" | "server" | "reachable">) {
  if (reachable === true) return `${node} is joined: the daemon works with ${server}`;
  return reachable === null
    ? `the credentials of ${node} are in place; next: sudo systemctl start lbd`
    : `the daemon of ${node} does not reach ${server} yet; next: lbctl status`;
}
