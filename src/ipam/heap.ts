// A binary heap: the least of what it holds comes first.

export class Heap<T> {
  readonly #isLess: (a: T, b: T) => boolean;
  readonly #items: T[] = [];

  constructor(isLess: (a: T, b: T) => boolean) {
    this.#isLess = isLess;
  }

  push(item: T): void {
    this.#items.push(item);
    this.#siftUp(this.#items.length - 1);
  }

  /** The least, which stays; undefined when there is none. */
  peek(): T | undefined {
    return this.#items[0];
  }

  /** Takes the least out; undefined when there is none. */
  pop(): T | undefined {
    const top = this.#items[0];
    const last = this.#items.pop();
    if (last === undefined || this.#items.length === 0) return top;
    this.#items[0] = last;
    this.#siftDown(0);
    return top;
  }

  #siftUp(index: number): void {
    let child = index;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!this.#swapIfLess(child, parent)) return;
      child = parent;
    }
  }

  #siftDown(index: number): void {
    let parent = index;
    for (;;) {
      const left = 2 * parent + 1;
      const right = left + 1;
      const smaller = this.#less(right, left) ? right : left;
      if (!this.#swapIfLess(smaller, parent)) return;
      parent = smaller;
    }
  }

  #less(a: number, b: number): boolean {
    const left = this.#items[a];
    const right = this.#items[b];
    return left !== undefined && right !== undefined && this.#isLess(left, right);
  }

  #swapIfLess(a: number, b: number): boolean {
    if (!this.#less(a, b)) return false;
    const left = this.#items[a] as T;
    this.#items[a] = this.#items[b] as T;
    this.#items[b] = left;
    return true;
  }
}
