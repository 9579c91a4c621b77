/** World time, guessed from Pings. Pure: the caller says what time it is here. */

const SAMPLES = 8;

export class Clock {
  #samples = /** @type {{ offset: number, trip: number }[]} */ ([]);

  /**
   * @param {number} serverMs of Welcome: a first guess, too old by half a round trip
   * @param {number} now milliseconds of this side's clock, which never goes back
   */
  start(serverMs, now) {
    this.#samples = [{ offset: serverMs - now, trip: Infinity }];
  }

  /**
   * @param {number} sentMs this side's clock when the Ping left
   * @param {number} serverMs
   * @param {number} now
   */
  pong(sentMs, serverMs, now) {
    if (!(sentMs <= now)) return;
    const trip = now - sentMs;
    this.#samples.push({ offset: serverMs - (sentMs + trip / 2), trip });
    if (this.#samples.length > SAMPLES) this.#samples.shift();
  }

  get #best() {
    // The quickest trip leaves the least room for error.
    const none = { offset: 0, trip: Infinity };
    return this.#samples.reduce((best, sample) => (sample.trip <= best.trip ? sample : best), none);
  }

  /** @returns {number} of the quickest trip, ms; Infinity before the first Pong */
  get roundTripMs() { return this.#best.trip; }

  /** @param {number} now @returns {number} world time, ms */
  serverMs(now) { return now + this.#best.offset; }
}
