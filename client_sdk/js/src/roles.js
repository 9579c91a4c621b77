/** Roles, scopes, and the words for what staff and accounts can ask for. Pure. */

/** What somebody may do to others. @enum {string} */
export const Role = Object.freeze({ GUEST: "guest", RESIDENT: "resident", MODERATOR: "moderator", OWNER: "owner" });

/** What a bot's key may be used for. @enum {string} */
export const Scope = Object.freeze({ MOVE: "move", TALK: "talk", SIGNAL: "signal", ORDER: "order" });

/** What a block takes away. @enum {number} */
export const BlockReach = Object.freeze({ ALL: 0, SPEECH: 1 });

/** @type {readonly string[]} */
export const SCOPES = Object.freeze(Object.values(Scope));

/** @type {readonly string[]} */
export const ORDER_ACTS = Object.freeze([
  "list", "show", "kick", "ban", "unban", "mute", "unmute", "role", "invite", "hide", "appear", "reports", "close",
  "audit",
]);

/** @type {readonly string[]} */
export const ACCOUNT_ACTS = Object.freeze(["recovery", "pair", "tokens", "revoke", "bot"]);

/** Of Standing's `muted_ms`: without end. */
export const FOR_EVER_MS = Number.MAX_SAFE_INTEGER;
