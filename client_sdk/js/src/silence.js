/**
 * Whether anybody is there still. Pure: the caller says what time it is, and when it heard something.
 *
 * Platforms do not show the WebSocket's own pings: the answers to ours say that somebody is there.
 */

/** Nothing at all for so long, not even a Pong: nobody is there any more. */
const SILENCE_MS = 20_000;
/** A timer that comes so late: the page was hidden, or the computer asleep, and no Ping was sent. */
const LATE_MS = 2_000;
const PROBE_MS = 5_000;

export class Silence {
  #heard = 0;
  #planned = Infinity;
  #probed = -Infinity;

  /** @param {number} now */
  hear(now) {
    this.#heard = now;
  }

  /**
   * @param {number} now
   * @returns {{ lost: boolean, probe: boolean, againMs: number }} probe: send a Ping; againMs: look again after that
   */
  look(now) {
    const late = now - this.#planned > LATE_MS;
    const silent = now - this.#heard;
    if (silent < SILENCE_MS) return this.#again(now, SILENCE_MS - silent + 10, false);
    // It is we who slept: ask once before taking it for lost.
    if (late && this.#probed < this.#heard) {
      this.#probed = now;
      return this.#again(now, PROBE_MS, true);
    }
    return { lost: true, probe: false, againMs: 0 };
  }

  /** @param {number} now @param {number} againMs @param {boolean} probe */
  #again(now, againMs, probe) {
    this.#planned = now + againMs;
    return { lost: false, probe, againMs };
  }
}
