// Randomness as a port, so that jitter can be seeded in tests.

/** Uniform in [0, 1). */
export type Random = () => number;
