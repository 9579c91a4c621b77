/** Keeping order, for moderators and owners. The server refuses what your role does not allow: `forbidden`. */

/**
 * @typedef {import("./messages.js").Message} Message
 * @typedef {import("./results.js").Person} Person
 * @typedef {number | string} Who an avatar id, or a name
 * @typedef {Who | { network: string }} WhoOrNetwork a network is an address, or for example 192.0.2.0/24
 */

/** @param {WhoOrNetwork} who @returns {Record<string, any>} the field that says it */
function meant(who) {
  if (typeof who === "number") return { avatar: who };
  if (typeof who === "string") return { name: who };
  return { network: who.network };
}

export class Staff {
  #run;

  /** @param {(message: Message) => Promise<any>} run */
  constructor(run) {
    this.#run = run;
  }

  /** @param {string} act @param {Record<string, any>} [fields] */
  #order(act, fields) { return this.#run({ type: "Order", act, ...fields }); }

  /** Who is here, and accounts; the first 100. @param {string} [name] a part of it @returns {Promise<Person[]>} */
  list(name = "") { return this.#order("list", { name }); }

  /**
   * Every account, here or not, by number; asks for a hundred at a time, as far as they are wanted.
   *
   * @param {string} [name] a part of it
   * @returns {AsyncGenerator<Person>}
   */
  async *accounts(name = "") {
    for (let number = 1; ;) {
      const page = await this.#order("list", { name, number });
      if (page.length === 0) return;
      yield* page;
      number = page[page.length - 1].avatar + 1;
    }
  }

  /** All about somebody: the address and what is laid upon them, too. @param {Who} who @returns {Promise<Person>} */
  show(who) { return this.#order("show", meant(who)); }

  /** Send out; they may come back. @param {Who} who @param {string} [reason] they are told @returns {Promise<void>} */
  kick(who, reason = "") { return this.#order("kick", { ...meant(who), text: reason }); }

  /**
   * Let in no more; who is here is sent out.
   *
   * @param {WhoOrNetwork} who an account, or a network
   * @param {string} [reason] they are told
   * @param {{ minutes?: number }} [options] 0: without end
   * @returns {Promise<void>}
   */
  ban(who, reason = "", { minutes = 0 } = {}) {
    return this.#order("ban", { ...meant(who), minutes, text: reason });
  }

  /** @param {WhoOrNetwork} who @returns {Promise<void>} */
  unban(who) { return this.#order("unban", meant(who)); }

  /**
   * Let speak no more.
   *
   * @param {WhoOrNetwork} who
   * @param {string} [reason] they are told
   * @param {{ minutes?: number }} [options] 0: without end
   * @returns {Promise<void>}
   */
  mute(who, reason = "", { minutes = 0 } = {}) {
    return this.#order("mute", { ...meant(who), minutes, text: reason });
  }

  /** @param {WhoOrNetwork} who @returns {Promise<void>} */
  unmute(who) { return this.#order("unmute", meant(who)); }

  /** For owners. @param {Who} who @param {"resident" | "moderator"} role @returns {Promise<void>} */
  role(who, role) { return this.#order("role", { ...meant(who), text: role }); }

  /**
   * An invitation, for `access`.
   *
   * @param {{ uses?: number, minutes?: number }} [options] for how many, 1 to 1000; 0 minutes: a week
   * @returns {Promise<import("./results.js").Secret>}
   */
  invite({ uses = 1, minutes = 0 } = {}) { return this.#order("invite", { uses, minutes }); }

  /** Be invisible to all but staff, until `appear`. @returns {Promise<void>} */
  hide() { return this.#order("hide"); }

  /** @returns {Promise<void>} */
  appear() { return this.#order("appear"); }

  /** Open ones, oldest first; the first 100. @returns {Promise<import("./results.js").Reported[]>} */
  reports() { return this.#order("reports"); }

  /** A report is dealt with. @param {number} number @param {string} [how] @returns {Promise<void>} */
  closeReport(number, how = "") { return this.#order("close", { number, text: how }); }

  /** For owners: what staff did, newest first. @returns {Promise<import("./results.js").AuditEntry[]>} */
  audit() { return this.#order("audit"); }
}
