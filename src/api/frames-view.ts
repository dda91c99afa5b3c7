// What the responder thread saw and decided last, as `lbctl bugreport` keeps it.

export interface FrameView {
  /** RFC 3339. */
  readonly at: string;
  readonly interface: string;
  /** What became of it; the counters of `lbctl status -o json` have the same names. */
  readonly outcome: string;
  /** True length in bytes. */
  readonly length: number;
  /** In words. */
  readonly text: string;
  /** The first 128 bytes, hexadecimal. */
  readonly bytes: string;
}

export interface DecisionView {
  /** RFC 3339. */
  readonly at: string;
  readonly text: string;
}

/** Both oldest first. */
export interface FramesView {
  readonly frames: readonly FrameView[];
  readonly decisions: readonly DecisionView[];
}
