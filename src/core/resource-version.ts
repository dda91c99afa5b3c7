// `metadata.resourceVersion`: since Kubernetes 1.35 its order is documented (larger is newer).

/** True when `a` is certainly older than `b`. What cannot be compared counts as new. */
export function isOlderVersion(a: string, b: string): boolean {
  if (!/^\d+$/.test(a) || !/^\d+$/.test(b)) return false;
  return a.length === b.length ? a < b : a.length < b.length;
}
