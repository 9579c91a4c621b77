/** Long work in short slices, so that no frame waits for it. */

/** What a frame gives to it, milliseconds; a slow frame gives a share of what it takes, up to the most. */
const SLICE_MS = 5;
const SHARE = 0.15;
const MOST_MS = 40;

/** @typedef {Generator<void, void, void>} Job it yields where it may be put off, every millisecond or so */

/** Work that waits, the most urgent first. A job with the name of another takes its place. */
export class Slices {
  #jobs = /** @type {Map<string, { rank: () => number, start: () => Job, job?: Job }>} */ (new Map());
  #ran = 0;

  /** Whether nothing waits. */
  get idle() { return this.#jobs.size === 0; }

  /**
   * @param {string} name
   * @param {() => number} rank the lowest is next
   * @param {() => Job} start
   */
  put(name, rank, start) {
    this.#jobs.set(name, { rank, start });
  }

  /** @param {string} name */
  drop(name) {
    this.#jobs.delete(name);
  }

  /** Go on for one slice, once a frame. */
  run() {
    const now = performance.now();
    const until = now + Math.max(SLICE_MS, Math.min(MOST_MS, SHARE * (now - this.#ran)));
    this.#ran = now;
    while (this.#jobs.size && performance.now() < until) {
      const name = this.#next();
      const entry = /** @type {NonNullable<ReturnType<typeof this.#jobs.get>>} */ (this.#jobs.get(name));
      const job = entry.job ??= entry.start();
      while (performance.now() < until) {
        if (!this.#step(name, job)) break;
      }
    }
  }

  /** @param {string} name @param {Job} job @returns {boolean} whether there is more of it */
  #step(name, job) {
    try {
      if (!job.next().done) return true;
    } catch (error) {
      console.error(`${name} failed`, error);
    }
    this.#jobs.delete(name);
    return false;
  }

  /** What was begun is finished first. @returns {string} */
  #next() {
    let best = "";
    let lowest = Infinity;
    for (const [name, { rank, job }] of this.#jobs) {
      const at = job ? -Infinity : rank();
      if (best !== "" && at >= lowest) continue;
      best = name;
      lowest = at;
    }
    return best;
  }
}
