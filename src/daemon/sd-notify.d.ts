// Types of the sd-notify package, which ships none.

declare module "sd-notify" {
  const notify: {
    ready(): void;
    /** Crashes without the process id: the addon reads its argument unchecked. */
    stopping(pid: number): void;
    watchdog(): void;
    sendStatus(text: string): void;
    /** Milliseconds; 0 when systemd wants no sign of life. */
    watchdogInterval(): number;
  };
  export default notify;
}
