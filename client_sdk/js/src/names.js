/** Names by Who: kept, asked for in batches, never faster than the server allows. */
import { NotSentError } from "./errors.js";
import { readLook, sameLook } from "./looks.js";
import { GUEST_BIT } from "./units.js";

const BATCH = 64;
/** The server grants four a second. One at a time, and a little slower. */
const GAP_MS = 300;
/** Ids of one tick are asked for together. */
const GATHER_MS = 30;
const ANSWER_MS = 5_000;
const TRIES = 3;
const MOST_KEPT = 4096;
const MOST_ASKED = 1024;

/**
 * @typedef {import("./looks.js").Look} Look
 * @typedef {{ name: string, kind: string, of: string, look: Look }} Person kind is a Role, or "bot"; more may come.
 *   of: a bot's owner, if it has one
 * @typedef {{ resolve: (person: Person | null) => void, reject: (error: Error) => void }} Asker
 * @typedef {{ askers: Asker[], tries: number }} Asked
 */

export class Names {
  #kept = /** @type {Map<number, Person>} */ (new Map());
  #asked = /** @type {Map<number, Asked>} */ (new Map());
  #flying = /** @type {number[] | null} */ (null);
  #timer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);
  #send;

  /** @param {(ids: number[]) => boolean} send false: not connected */
  constructor(send) {
    this.#send = send;
  }

  /** @param {number} id @returns {Person | undefined} what is known already */
  known(id) {
    return this.#kept.get(id);
  }

  /**
   * @param {number} id
   * @returns {Promise<Person | null>} null: not in the world, hidden, or blocked
   */
  ask(id) {
    const person = this.#kept.get(id);
    if (person) return Promise.resolve(person);
    return new Promise((resolve, reject) => {
      if (!Number.isInteger(id) || id < 1 || id > 0xffffffff) throw new RangeError(`expected an avatar id, got ${id}`);
      let asked = this.#asked.get(id);
      if (!asked) {
        if (this.#asked.size >= MOST_ASKED) throw new NotSentError(`${MOST_ASKED} names are being asked for`);
        this.#asked.set(id, (asked = { askers: [], tries: 0 }));
      }
      if (asked.askers.length >= MOST_ASKED) throw new NotSentError(`${MOST_ASKED} wait for this name`);
      asked.askers.push({ resolve, reject });
      if (!this.#flying && !this.#timer) this.#schedule(GATHER_MS);
    });
  }

  /** @param {number} id @param {Person} person */
  learn(id, person) {
    this.#kept.delete(id);
    this.#kept.set(id, person);
    if (this.#kept.size > MOST_KEPT) this.#kept.delete(/** @type {number} */ (this.#kept.keys().next().value));
  }

  /**
   * @param {{ avatar: number, name: string, kind: string, of: string, look: Uint8Array }[]} people
   * @returns {{ avatar: number, look: Look }[]} whose look was not known, or another
   */
  answered(people) {
    const news = [];
    for (const { avatar, name, kind, of, look: bytes } of people) {
      const look = readLook(bytes, avatar);
      if (!sameLook(look, this.#kept.get(avatar)?.look)) news.push({ avatar, look });
      this.learn(avatar, { name, kind, of, look });
    }
    const ids = new Set([...(this.#flying ?? []), ...people.map(({ avatar }) => avatar)]);
    this.#flying = null;
    for (const id of ids) {
      const person = this.#kept.get(id) ?? null;
      for (const { resolve } of this.#asked.get(id)?.askers ?? []) resolve(person);
      this.#asked.delete(id);
    }
    this.#schedule(GAP_MS);
    return news;
  }

  /** Somebody looks otherwise now. @param {number} id @param {Look} look */
  dress(id, look) {
    const person = this.#kept.get(id);
    if (person) this.#kept.set(id, { ...person, look });
  }

  /** They may look otherwise since: those that are known are asked for again. @param {number[]} ids */
  doubt(ids) {
    for (const id of ids) {
      if (this.#kept.has(id) && this.#asked.size < MOST_ASKED && !this.#asked.has(id)) {
        this.#asked.set(id, { askers: [], tries: 0 });
      }
    }
    if (!this.#flying && !this.#timer) this.#schedule(GATHER_MS);
  }

  /** @param {number} afterMs a Who was perhaps refused: ask once more after that */
  refused(afterMs) {
    if (this.#flying) this.#again(Math.max(afterMs, GAP_MS));
  }

  /** A new connection: what was not answered is asked for again. */
  connected() {
    if (this.#asked.size) this.#again(GATHER_MS);
  }

  /** Another session: the server may have given the ids of guests to others. */
  forget() {
    for (const id of [...this.#kept.keys()]) if (id >= GUEST_BIT) this.#kept.delete(id);
  }

  /** @param {number} id */
  forgetOne(id) {
    this.#kept.delete(id);
  }

  /** @param {Error} error */
  close(error) {
    clearTimeout(this.#timer);
    for (const { askers } of this.#asked.values()) for (const { reject } of askers) reject(error);
    this.#asked.clear();
    this.#flying = null;
  }

  /** @param {number} ms */
  #again(ms) {
    this.#flying = null;
    this.#schedule(ms);
  }

  /** @param {number} ms */
  #schedule(ms) {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#asked.size) this.#timer = setTimeout(() => this.#ask(), ms);
  }

  #ask() {
    this.#timer = undefined;
    for (const [id, asked] of this.#asked) {
      if (asked.tries < TRIES) continue;
      for (const { reject } of asked.askers) reject(new NotSentError(`no answer to Who after ${TRIES} tries`));
      this.#asked.delete(id);
    }
    const ids = [...this.#asked.keys()].slice(0, BATCH);
    // Without a connection the ids wait for the next one.
    if (!ids.length || !this.#send(ids)) return;
    for (const id of ids) /** @type {Asked} */ (this.#asked.get(id)).tries++;
    this.#flying = ids;
    this.#timer = setTimeout(() => this.#again(0), ANSWER_MS);
  }
}
