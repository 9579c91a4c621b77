/** Your own account: codes, tokens, bots. Not for guests, nor for who came with a bot's key. */

/**
 * @typedef {import("./messages.js").Message} Message
 * @typedef {import("./results.js").Secret} Secret
 */

export class Account {
  #run;

  /** @param {(message: Message) => Promise<any>} run */
  constructor(run) {
    this.#run = run;
  }

  /** For a person to write down; the one before is void. @returns {Promise<Secret>} */
  recoveryCode() { return this.#run({ type: "Account", act: "recovery" }); }

  /** For another device, once, for 10 minutes; the one before is void. @returns {Promise<Secret>} */
  pairingCode() { return this.#run({ type: "Account", act: "pair" }); }

  /** Those of the bots, too. @returns {Promise<import("./results.js").TokenInfo[]>} */
  tokens() { return this.#run({ type: "Account", act: "tokens" }); }

  /** Who is here with it is sent out. @param {string} id of `tokens` @returns {Promise<void>} */
  revoke(id) { return this.#run({ type: "Account", act: "revoke", token: id }); }

  /**
   * A key, to be used as `token`, for the bot of that name, which is made if there is none.
   *
   * @param {string} name
   * @param {string[]} scopes each a Scope; none: what needs no scope
   * @returns {Promise<Secret>}
   */
  botKey(name, scopes) { return this.#run({ type: "Account", act: "bot", name, scopes }); }
}
