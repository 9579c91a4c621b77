/** What you are here: role, mute, hiding. Pure: the caller says what time it is. */
import { FOR_EVER_MS, Role, Scope } from "./roles.js";

export class Standing {
  /** @type {string} */
  role = Role.GUEST;
  /** What your key may be used for. @type {string[] | null} null: everything */
  scopes = null;
  hidden = false;
  /** Why you are muted. */
  reason = "";
  #mutedUntil = -Infinity;

  /** @param {Record<string, any>} welcome Standing follows it where there is a mute */
  welcome({ role, scopes, hidden }) {
    Object.assign(this, { role, scopes, hidden, reason: "" });
    this.#mutedUntil = -Infinity;
  }

  /** @param {Record<string, any>} standing all of it: it replaces what was @param {number} now milliseconds */
  tell({ role, muted_ms, reason, hidden }, now) {
    Object.assign(this, { role, reason, hidden });
    this.#mutedUntil = muted_ms >= FOR_EVER_MS ? Infinity : now + muted_ms;
  }

  /** @param {number} now @returns {number} 0: you can speak; Infinity: without end */
  mutedMs(now) {
    return Math.max(0, this.#mutedUntil - now);
  }

  /** Without it the server takes every Move for a mistake. */
  get mayMove() {
    return this.scopes === null || this.scopes.includes(Scope.MOVE);
  }
}
