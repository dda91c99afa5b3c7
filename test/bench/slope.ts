// How fast something grows: a straight line through samples by least squares. Pure.

export interface Point {
  /** Any unit, counted from anywhere. */
  readonly x: number;
  readonly y: number;
}

export interface Slope {
  /** y for each unit of x. */
  readonly perX: number;
  /**
   * Standard error of perX. Samples that follow each other are alike, so they count for fewer than
   * they are: by (1 - r) / (1 + r), r the correlation of each residual with the one before.
   */
  readonly error: number;
}

/** Fewer say nothing about noise. */
const POINTS_MIN = 3;

/** Null where there are too few points, or all have the same x. */
export function slopeOf(points: readonly Point[]): Slope | null {
  if (points.length < POINTS_MIN) return null;
  const mean = { x: meanOf(points.map(({ x }) => x)), y: meanOf(points.map(({ y }) => y)) };
  const spread = sumOf(points.map(({ x }) => (x - mean.x) ** 2));
  if (spread === 0) return null;
  const perX = sumOf(points.map(({ x, y }) => (x - mean.x) * (y - mean.y))) / spread;
  const residuals = points.map(({ x, y }) => y - mean.y - perX * (x - mean.x));
  const variance = sumOf(residuals.map((value) => value ** 2)) / (points.length - 2);
  const likeness = likenessOf(residuals);
  const inflation = Math.sqrt((1 + likeness) / (1 - likeness));
  return { perX, error: Math.sqrt(variance / spread) * inflation };
}

/** However alike they are, samples count for a twentieth of their number at least. */
const LIKENESS_MAX = 0.9;

/** Correlation of each value with the one before it; 0 instead of less. */
function likenessOf(residuals: readonly number[]): number {
  const squares = sumOf(residuals.map((value) => value ** 2));
  if (squares === 0) return 0;
  const products = residuals.slice(1).map((value, i) => value * (residuals[i] ?? 0));
  return Math.min(LIKENESS_MAX, Math.max(0, sumOf(products) / squares));
}

function meanOf(values: readonly number[]): number {
  return sumOf(values) / values.length;
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
