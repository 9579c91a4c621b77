/** Money, land and the market: commands with a key, sent with the same one until they are answered. */
import { LostError, NotSentError, RefusedError } from "./errors.js";

const KEY_BYTES = 16;
const AGAIN_MS = 250;
const READ_AFTER_MS = 1000;
const MOST_REMEMBERED = 1000;
/** What the server refuses for the moment: whether it was done is unknown, or it was not. */
const PASSING = new Set(["unavailable", "rate"]);

/**
 * @typedef {import("./messages.js").Message} Message
 * @typedef {Record<string, any>} Fields of the message, by the protocol page's names
 */

/** @returns {Uint8Array} a key for one request */
export function newKey() {
  return globalThis.crypto.getRandomValues(new Uint8Array(KEY_BYTES));
}

export class Dealer {
  #run;
  #back;
  #heard = /** @type {Set<number>} */ (new Set());
  #unread = 0;
  #timer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);

  /**
   * @param {(message: Message) => Promise<any>} run sends a command once
   * @param {() => Promise<void>} back resolves when there is a connection, rejects when there will be none
   */
  constructor(run, back) {
    this.#run = run;
    this.#back = back;
  }

  /** Ask about money; see Money. @param {string} act @param {Fields} [fields] @returns {Promise<any>} */
  money(act, fields = {}) { return this.#ask({ type: "Money", act, ...fields }); }

  /** Ask about land; see Estate. @param {string} act @param {Fields} [fields] @returns {Promise<any>} */
  estate(act, fields = {}) { return this.#ask({ type: "Estate", act, ...fields }); }

  /** Ask at the market; see Market. @param {string} act @param {Fields} [fields] @returns {Promise<any>} */
  market(act, fields = {}) { return this.#ask({ type: "Market", act, ...fields }); }

  /**
   * Pay somebody.
   *
   * @param {number | string} who an account, or a name
   * @param {number} amount minor units
   * @param {{ memo?: string, key?: Uint8Array }} [options]
   * @returns {Promise<number>} the transfer's number
   */
  pay(who, amount, { memo = "", key = newKey() } = {}) {
    return this.money("pay", { key, ...meant(who), amount, memo });
  }

  /**
   * Buy parcels from the world, for what they cost now.
   *
   * @param {{ px: number, pz: number, n: number }[]} parcels runs
   * @param {{ title?: string, maxPrice?: number, key?: Uint8Array }} [options]
   * @returns {Promise<any>} the estate
   */
  async claim(parcels, { title = "", maxPrice = Infinity, key = newKey() } = {}) {
    const price = await this.estate("price", { parcels });
    if (price > maxPrice) throw new RangeError(`expected a price of at most ${maxPrice}, got ${price}`);
    return this.estate("claim", { key, parcels, price, title });
  }

  /**
   * Buy exactly what was shown.
   *
   * @param {{ listing: number, price: number, fingerprint: string }} offer
   * @param {{ key?: Uint8Array }} [options]
   * @returns {Promise<any>} what was bought
   */
  buy({ listing, price, fingerprint }, { key = newKey() } = {}) {
    return this.market("buy", { key, listing, price, fingerprint });
  }

  /**
   * Bid for what was shown.
   *
   * @param {{ listing: number, fingerprint: string }} offer
   * @param {number} amount minor units
   * @param {{ key?: Uint8Array }} [options]
   * @returns {Promise<any>} the offer as it is then
   */
  bid({ listing, fingerprint }, amount, { key = newKey() } = {}) {
    return this.market("bid", { key, listing, price: amount, fingerprint });
  }

  /**
   * Lease what was shown.
   *
   * @param {{ estate: number, rent: number, fingerprint: string }} offer
   * @param {number} periods paid now
   * @param {{ key?: Uint8Array }} [options]
   * @returns {Promise<any>} the lease
   */
  lease({ estate, rent, fingerprint }, periods, { key = newKey() } = {}) {
    return this.market("lease", { key, estate, periods, price: rent, fingerprint });
  }

  /** A notice came. @param {{ number: number }} notice @returns {boolean} whether it had not come before */
  heard({ number }) {
    if (this.#heard.has(number)) return false;
    this.#heard.add(number);
    if (this.#heard.size > MOST_REMEMBERED) this.#heard.delete(/** @type {number} */ (this.#heard.values().next().value));
    this.#unread = Math.max(this.#unread, number);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.money("read", { before: this.#unread }).catch(() => {});
    }, READ_AFTER_MS);
    return true;
  }

  /** Nothing is sent any more. */
  close() { clearTimeout(this.#timer); }

  /** @param {Message} message */
  async #ask(message) {
    for (;;) {
      await this.#back();
      try {
        return await this.#run(message);
      } catch (error) {
        const passing = error instanceof RefusedError && PASSING.has(error.code);
        if (!passing && !(error instanceof LostError) && !(error instanceof NotSentError)) throw error;
        const wait = error instanceof RefusedError ? error.retryAfterMs : 0;
        await new Promise((resolve) => { setTimeout(resolve, Math.max(AGAIN_MS, wait)); });
      }
    }
  }
}

/** @param {number | string} who @returns {Fields} */
function meant(who) {
  return typeof who === "number" ? { account: who } : { name: who };
}
