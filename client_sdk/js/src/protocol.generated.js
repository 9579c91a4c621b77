/**
 * Enumerations, messages, and what their Done carries: as the protocol page has them. Pure.
 *
 * Made by: python -m worldloom_sdk.protocol.javascript > client_sdk/js/src/protocol.generated.js
 */
import { anything, array, binary, boolean, int, oneOf, orNil, struct, text } from "./codec.js";

const EMPTY = new Uint8Array();

/** What can be asked for about oneself. @enum {string} */
export const AccountAct = Object.freeze({
  LOOK: "look", FINDABLE: "findable", BLOCKED: "blocked", RECOVERY: "recovery", PAIR: "pair", TOKENS: "tokens",
  REVOKE: "revoke", BOT: "bot",
});

/** How much a Block takes away, for both sides alike. @enum {number} */
export const BlockReach = Object.freeze({
  ALL: 0, SPEECH: 1,
});

/** Why the server closes a socket. @enum {number} */
export const CloseCode = Object.freeze({
  NORMAL: 1000, PROTOCOL: 1002, NOT_BINARY: 1003, BAD_PAYLOAD: 1007, POLICY: 1008, TOO_BIG: 1009, INTERNAL: 1011,
  RESTART: 1012, BUSY: 1013, REPLACED: 4001, REMOVED: 4002,
});

/** Why a move was refused. @enum {number} */
export const CorrectionReason = Object.freeze({
  SPEED: 1, CLIMB: 2, GROUND: 3, EDGE: 4, UNWOVEN: 5, FULL: 6, PRIVATE: 7, PLACED: 8,
});

/** What staff may ask for. @enum {string} */
export const OrderAct = Object.freeze({
  LIST: "list", SHOW: "show", KICK: "kick", BAN: "ban", UNBAN: "unban", MUTE: "mute", UNMUTE: "unmute", ROLE: "role",
  INVITE: "invite", HIDE: "hide", APPEAR: "appear", REPORTS: "reports", CLOSE: "close", AUDIT: "audit",
});

/** Stable codes of Refused. @enum {string} */
export const RefusalCode = Object.freeze({
  VERSION: "version", TOKEN: "token", NAME_TAKEN: "name_taken", NAME_INVALID: "name_invalid", FULL: "full",
  RATE: "rate", STATE: "state", INVALID: "invalid", NOT_FOUND: "not_found", UNAVAILABLE: "unavailable",
  ACCESS: "access", BANNED: "banned", MUTED: "muted", FORBIDDEN: "forbidden", FUNDS: "funds", SOLD: "sold",
  CHANGED: "changed", KEY_REUSED: "key_reused", NOT_FOR_SALE: "not_for_sale", LEASED: "leased", LOCKED: "locked",
});

/** What is known of a region's land. @enum {number} */
export const RegionState = Object.freeze({
  WOVEN: 0, WEAVING: 1,
});

/** What somebody is in this world. @enum {string} */
export const Role = Object.freeze({
  GUEST: "guest", RESIDENT: "resident", MODERATOR: "moderator", OWNER: "owner",
});

/** How far speech carries. @enum {number} */
export const SayKind = Object.freeze({
  SAY: 0, SHOUT: 1, REGION: 2,
});

/** What the key of a bot may be used for. @enum {string} */
export const Scope = Object.freeze({
  MOVE: "move", TALK: "talk", SIGNAL: "signal", ORDER: "order", TRADE: "trade",
});

/** What can be asked for about one's own money. @enum {string} */
export const MoneyAct = Object.freeze({
  BALANCE: "balance", PAY: "pay", STATEMENT: "statement", NOTICES: "notices", READ: "read",
});

/** What can be asked for about land. @enum {string} */
export const EstateAct = Object.freeze({
  PARCEL: "parcel", SHOW: "show", HOLDINGS: "holdings", HISTORY: "history", ZONES: "zones", PLAN: "plan",
  PRICE: "price", RIGHTS: "rights", CLAIM: "claim", DESCRIBE: "describe", SPLIT: "split", JOIN: "join", GIVE: "give",
  ABANDON: "abandon", ALLOW: "allow", DISALLOW: "disallow", EXCLUDE: "exclude", ADMIT: "admit",
});

/** What can be asked for at the market. @enum {string} */
export const MarketAct = Object.freeze({
  PAGE: "page", TO_LET: "to_let", SHOW: "show", TERMS: "terms", TRADES: "trades", SELL: "sell", AUCTION: "auction",
  WITHDRAW: "withdraw", BUY: "buy", BID: "bid", OFFER_LEASE: "offer_lease", END_LEASE_OFFER: "end_lease_offer",
  LEASE: "lease", RENEW: "renew",
});

/** What accounts are told. @enum {string} */
export const NoticeKind = Object.freeze({
  SOLD: "sold", WON: "won", BID: "bid", OUTBID: "outbid", OVER: "over", REFUNDED: "refunded", LEASED: "leased",
  RENEWED: "renewed", RENT_DUE: "rent_due", LEASE_ENDED: "lease_ended", GIVEN: "given", TAKEN: "taken", PAID: "paid",
});

/** What may be done in an estate. @enum {number} */
export const Verb = Object.freeze({
  ENTER: 1, SEE: 2, BUILD: 4, INTERACT: 8, TERRAFORM: 16, SELL: 32, LEASE: 64, MANAGE: 128, BOTS: 256,
});

/** What a body does. @enum {number} */
export const Gesture = Object.freeze({
  STAND: 0, WALK: 1, RUN: 2, AIR: 3, SWIM: 4, SIT: 5, FLY: 6,
});

/** Colours of looks, sRGB. @type {readonly number[]} */
export const SKINS = Object.freeze([
  0xf6d7c3, 0xeec1a0, 0xdca27a, 0xc58a5e, 0xa36b43, 0x7f4f30, 0x5c3722, 0x3d2418,
]);

/** Colours of looks, sRGB. @type {readonly number[]} */
export const HAIRS = Object.freeze([
  0x16120f, 0x2f2018, 0x4e3322, 0x74492b, 0x9a6a3b, 0xc79a5b, 0xe4c98f, 0x8c3b1e, 0xb9b4ac, 0xece8e0, 0x3b5b8c,
  0x7d3f6d,
]);

/** Colours of looks, sRGB. @type {readonly number[]} */
export const CLOTHES = Object.freeze([
  0xf2efe6, 0xc9c4b8, 0x8b8984, 0x4a4b4f, 0x23252b, 0x7a1f2b, 0xb5382f, 0xd9653b, 0xe09a3e, 0xe8c547, 0xb7b04a,
  0x7c9a4a, 0x3f7a4d, 0x235c4b, 0x2b7f7a, 0x58a6a6, 0x8ec5d6, 0x3f82b8, 0x2b5390, 0x23325f, 0x5a4a8c, 0x8a5aa0,
  0xb8628f, 0xe0a3b5,
]);

/** How many there are of each. */
export const LOOK_SIZES = Object.freeze({
  body: 8, skin: 8, hair: 12, top: 24, legs: 24,
});

const run = struct(
  ["px", int(-524_272, 524_287)], ["pz", int(-524_272, 524_287)], ["n", int(1, 4096), 1],
);

const landing = struct(
  ["x", int(-2_147_483_648, 2_147_483_647)], ["z", int(-2_147_483_648, 2_147_483_647)],
  ["y", int(-32_768, 32_767), -32_768], ["yaw", int(0, 255), 0],
);

const limits = struct(
  ["speed", int()], ["climb", int()], ["moves_per_s", int()], ["text_chars", int()], ["view_cells", int()],
  ["resume_ms", int()],
);

const line = struct(
  ["avatar", int()], ["name", text()], ["kind", int()], ["text", text()],
);

const named = struct(
  ["avatar", int()], ["name", text()], ["kind", text()], ["of", text(), ""], ["look", binary(), EMPTY],
);

const noticeInfo = struct(
  ["number", int()], ["kind", text()], ["at_ms", int()], ["read", boolean, false], ["listing", int(), 0],
  ["estate", int(), 0], ["lease", int(), 0], ["amount", int(), 0], ["fee", int(), 0], ["back", int(), 0],
  ["account", int(), 0], ["name", text(), ""], ["until_ms", int(), 0], ["periods_left", int(), 0],
  ["title", text(), ""], ["text", text(), ""],
);

const worn = struct(
  ["avatar", int()], ["look", binary()],
);

const sanction = struct(
  ["kind", text()], ["reason", text()], ["made_ms", int()], ["until_ms", int()], ["by", text()],
  ["network", text(), ""],
);

const person = struct(
  ["avatar", int()], ["name", text()], ["role", text()], ["here", boolean], ["of", text(), ""],
  ["hidden", boolean, false], ["made_ms", int(), 0], ["seen_ms", int(), 0], ["address", text(), ""],
  ["sanctions", array(sanction), []], ["is_bot", boolean, false],
);

const secret = struct(
  ["text", text()], ["until_ms", int(), 0], ["account", int(), 0],
);

const reported = struct(
  ["number", int()], ["at_ms", int()], ["by", text()], ["about", text()], ["text", text()],
);

const auditEntry = struct(
  ["number", int()], ["at_ms", int()], ["by", text()], ["act", text()], ["about", text()], ["text", text()],
  ["until_ms", int(), 0],
);

const blocked = struct(
  ["avatar", int()], ["name", text()], ["reach", int()],
);

const tokenInfo = struct(
  ["id", text()], ["name", text()], ["label", text()], ["scopes", orNil(array(text()))], ["made_ms", int()],
  ["used_ms", int()], ["current", boolean],
);

const edited = struct(
  ["rx", int()], ["rz", int()], ["version", int()],
);

const found = struct(
  ["avatar", int()], ["name", text()], ["kind", text()], ["x", int()], ["z", int()],
);

const balance = struct(
  ["own", int()], ["granted", int()], ["name", text()], ["digits", int()],
);

const counterpart = struct(
  ["kind", text()], ["name", text()],
);

const statementEntry = struct(
  ["transfer", int()], ["at_ms", int()], ["kind", text()], ["amount", int()], ["granted", boolean], ["memo", text()],
  ["ref", int()], ["others", array(counterpart)],
);

const parcelInfo = struct(
  ["px", int()], ["pz", int()], ["estate", int(), 0], ["name", text(), ""], ["owner", int(), 0],
  ["owner_name", text(), ""], ["price", orNil(int()), null],
);

const leaseInfo = struct(
  ["lease", int()], ["estate", int()], ["tenant", int()], ["rent", int()], ["period_s", int()], ["from_ms", int()],
  ["until_ms", int()], ["latest_ms", int()], ["renewable", boolean],
);

const estateInfo = struct(
  ["estate", int()], ["owner", int()], ["owner_name", text()], ["name", text()], ["description", text()],
  ["parcels", int()], ["shape", int()], ["created_ms", int()], ["locked_until_ms", int()], ["landing", orNil(landing)],
  ["runs", array(run), []], ["lease", orNil(leaseInfo), null],
);

const holdings = struct(
  ["account", int()], ["name", text()], ["parcels", int()], ["estates", array(estateInfo)], ["more", boolean],
);

const registerEntry = struct(
  ["number", int()], ["at_ms", int()], ["kind", text()], ["estate", int()], ["account", int()], ["name", text()],
  ["other", int()], ["other_name", text()], ["transfer", int()], ["detail", text()], ["seal", int()], ["hash", text()],
);

const zoneInfo = struct(
  ["rx", int()], ["rz", int()], ["price", int()],
);

const plan = struct(
  ["estates", array(estateInfo)], ["zones", array(zoneInfo)],
);

const permit = struct(
  ["account", int()], ["name", text()], ["verbs", int()], ["role", text()], ["until_ms", int()], ["giver", int()],
);

const barred = struct(
  ["account", int()], ["name", text()], ["until_ms", int()], ["reason", text()], ["giver", int()],
);

const rights = struct(
  ["everyone", int()], ["own", int()], ["permits", array(permit)], ["barred", array(barred)],
);

const offer = struct(
  ["listing", int()], ["kind", text()], ["estate", int()], ["name", text()], ["seller", int()], ["seller_name", text()],
  ["price", int()], ["asked", int()], ["parcels", int()], ["px", int()], ["pz", int()], ["fingerprint", text()],
  ["fee", int()], ["created_ms", int()], ["only", int(), 0], ["step", int(), 0], ["ends_ms", int(), 0],
  ["top", int(), 0], ["top_bid", int(), 0],
);

const offerPage = struct(
  ["offers", array(offer)], ["next", orNil(array(int()))],
);

const leaseOffer = struct(
  ["estate", int()], ["name", text()], ["owner", int()], ["owner_name", text()], ["rent", int()], ["period_s", int()],
  ["max_periods", int()], ["renewable", boolean], ["parcels", int()], ["px", int()], ["pz", int()],
  ["fingerprint", text()], ["fee", int()], ["created_ms", int()], ["only", int(), 0],
);

const leaseOfferPage = struct(
  ["offers", array(leaseOffer)], ["next", orNil(array(int()))],
);

const shownOffer = struct(
  ["offer", offer], ["estate", estateInfo],
);

const leaseTerms = struct(
  ["offer", orNil(leaseOffer)], ["lease", orNil(leaseInfo)],
);

const trades = struct(
  ["offers", array(offer)], ["bids", array(offer)], ["leases", array(leaseInfo)],
);

const bought = struct(
  ["listing", int()], ["estate", int()], ["price", int()], ["transfer", int()],
);

/** Messages by name. @type {Record<string, { tag: number, fields: import("./codec.js").Field[] }>} */
export const MESSAGES = {
  Hello: {
    tag: 1,
    fields: [
      ["version", int(0, 65_535)], ["client", text(64), ""], ["name", text(64), ""],
      ["token", orNil(text(128, 16)), null], ["resume", orNil(text(128, 16)), null], ["keep", boolean, false],
      ["access", text(128), ""], ["code", text(64), ""], ["bot", boolean, false],
      ["at", orNil(array(int(-2_147_483_648, 2_147_483_647), 2, 2)), null],
    ],
  },
  Move: {
    tag: 2,
    fields: [
      ["state", binary(16, 16)],
    ],
  },
  Ping: {
    tag: 3,
    fields: [
      ["client_ms", int(0, 9_007_199_254_740_991)],
    ],
  },
  Say: {
    tag: 4,
    fields: [
      ["id", int(1, 4_294_967_295)], ["kind", int(0, 2)], ["text", text(500)],
    ],
  },
  Whisper: {
    tag: 5,
    fields: [
      ["id", int(1, 4_294_967_295)], ["to", int(1, 4_294_967_295)], ["text", text(500)],
    ],
  },
  Signal: {
    tag: 6,
    fields: [
      ["id", int(1, 4_294_967_295)], ["to", int(0, 4_294_967_295)], ["channel", text(32, 1)], ["data", binary(0, 1024)],
    ],
  },
  Who: {
    tag: 7,
    fields: [
      ["ids", array(int(1, 4_294_967_295), 1, 64)],
    ],
  },
  Block: {
    tag: 8,
    fields: [
      ["id", int(1, 4_294_967_295)], ["avatar", int(1, 4_294_967_295)], ["on", boolean], ["reach", int(0, 1), 0],
    ],
  },
  Leave: {
    tag: 9,
    fields: [],
  },
  Order: {
    tag: 10,
    fields: [
      ["id", int(1, 4_294_967_295)], ["act", oneOf(Object.values(OrderAct))], ["avatar", int(0, 4_294_967_295), 0],
      ["name", text(64), ""], ["network", text(49), ""], ["minutes", int(0, 52_560_000), 0], ["text", text(500), ""],
      ["number", int(0, 2_147_483_647), 0], ["uses", int(1, 1000), 1],
    ],
  },
  Account: {
    tag: 11,
    fields: [
      ["id", int(1, 4_294_967_295)], ["act", oneOf(Object.values(AccountAct))], ["name", text(64), ""],
      ["scopes", array(oneOf(Object.values(Scope)), 0, 8), []], ["token", text(16), ""], ["look", binary(0, 5), EMPTY],
      ["on", boolean, true],
    ],
  },
  Report: {
    tag: 12,
    fields: [
      ["id", int(1, 4_294_967_295)], ["avatar", int(1, 4_294_967_295)], ["text", text(500)],
    ],
  },
  EditTerrain: {
    tag: 13,
    fields: [
      ["id", int(1, 4_294_967_295)], ["x", int(-2_147_483_648, 2_147_483_647)],
      ["z", int(-2_147_483_648, 2_147_483_647)], ["width", int(1, 32)], ["depth", int(1, 32)],
      ["heights", binary(2, 2048)],
    ],
  },
  Money: {
    tag: 14,
    fields: [
      ["id", int(1, 4_294_967_295)], ["act", oneOf(Object.values(MoneyAct))], ["key", binary(0, 16), EMPTY],
      ["account", int(0, 2_147_483_647), 0], ["name", text(64), ""], ["amount", int(0, 1_000_000_000_000_000), 0],
      ["memo", text(200), ""], ["before", int(0, 9_007_199_254_740_991), 0],
    ],
  },
  Estate: {
    tag: 15,
    fields: [
      ["id", int(1, 4_294_967_295)], ["act", oneOf(Object.values(EstateAct))], ["key", binary(0, 16), EMPTY],
      ["estate", int(0, 9_007_199_254_740_991), 0], ["other", int(0, 9_007_199_254_740_991), 0],
      ["account", int(0, 2_147_483_647), 0], ["name", text(64), ""], ["parcels", array(run, 0, 256), []],
      ["price", int(0, 1_000_000_000_000_000), 0], ["title", orNil(text(64)), null], ["text", orNil(text(500)), null],
      ["landing", orNil(landing), null], ["no_landing", boolean, false], ["verbs", int(0, 511), 0],
      ["role", text(16), ""], ["seconds", int(0, 31_622_400), 0], ["region", array(int(-32_767, 32_767), 0, 2), []],
      ["before", int(0, 9_007_199_254_740_991), 0],
    ],
  },
  Market: {
    tag: 16,
    fields: [
      ["id", int(1, 4_294_967_295)], ["act", oneOf(Object.values(MarketAct))], ["key", binary(0, 16), EMPTY],
      ["listing", int(0, 9_007_199_254_740_991), 0], ["estate", int(0, 9_007_199_254_740_991), 0],
      ["lease", int(0, 9_007_199_254_740_991), 0], ["price", int(0, 1_000_000_000_000_000), 0],
      ["step", int(0, 1_000_000_000_000_000), 0], ["fingerprint", text(32), ""], ["account", int(0, 2_147_483_647), 0],
      ["name", text(64), ""], ["seconds", int(0, 31_622_400), 0], ["periods", int(0, 1000), 0],
      ["renewable", boolean, false], ["kind", text(16), ""], ["sort", text(16), "newest"], ["limit", int(1, 50), 50],
      ["price_from", int(0, 1_000_000_000_000_000), 0],
      ["price_to", int(0, 1_000_000_000_000_000), 1_000_000_000_000_000], ["parcels_from", int(0, 65_536), 0],
      ["text", text(64), ""], ["near", array(int(-8_388_608, 8_388_608), 0, 3), []],
      ["after", array(int(0, 9_007_199_254_740_991), 0, 2), []],
    ],
  },
  Find: {
    tag: 17,
    fields: [
      ["id", int(1, 4_294_967_295)], ["name", text(64, 1)],
    ],
  },
  Welcome: {
    tag: 32,
    fields: [
      ["version", int()], ["you", int()], ["name", text()], ["world", text()], ["world_id", text()],
      ["server_ms", int()], ["x", int()], ["z", int()], ["y", int()], ["yaw", int()], ["resume", text()],
      ["limits", limits], ["token", orNil(text()), null], ["resumed", boolean, false], ["greeting", text(), ""],
      ["role", text(), "guest"], ["scopes", orNil(array(text())), null], ["recovery", text(), ""],
      ["hidden", boolean, false], ["look", binary(), EMPTY], ["findable", boolean, true],
    ],
  },
  Refused: {
    tag: 33,
    fields: [
      ["id", int()], ["code", text()], ["text", text()], ["hint", text(), ""], ["retry_after_ms", int(), 0],
    ],
  },
  Done: {
    tag: 34,
    fields: [
      ["id", int()], ["result", anything, null],
    ],
  },
  Pong: {
    tag: 35,
    fields: [
      ["client_ms", int()], ["server_ms", int()],
    ],
  },
  Frame: {
    tag: 36,
    fields: [
      ["tick", int()], ["body", binary()], ["lines", array(line), []],
    ],
  },
  Area: {
    tag: 37,
    fields: [
      ["tick", int()], ["cx", int()], ["cz", int()], ["radius", int()], ["layers", array(int())], ["body", binary()],
    ],
  },
  AreaComplete: {
    tag: 38,
    fields: [
      ["tick", int()],
    ],
  },
  Correction: {
    tag: 39,
    fields: [
      ["seq", int()], ["x", int()], ["z", int()], ["y", int()], ["yaw", int()], ["reason", int()],
    ],
  },
  People: {
    tag: 40,
    fields: [
      ["people", array(named)],
    ],
  },
  Whispered: {
    tag: 41,
    fields: [
      ["avatar", int()], ["name", text()], ["text", text()],
    ],
  },
  Signalled: {
    tag: 42,
    fields: [
      ["avatar", int()], ["channel", text()], ["data", binary()],
    ],
  },
  Region: {
    tag: 43,
    fields: [
      ["rx", int()], ["rz", int()], ["state", int()], ["sha256", text(), ""], ["source", text(), ""],
      ["overlay", int(), 0],
    ],
  },
  Goodbye: {
    tag: 44,
    fields: [
      ["code", text()], ["text", text()], ["retry_after_ms", int(), 0],
    ],
  },
  Standing: {
    tag: 45,
    fields: [
      ["role", text()], ["muted_ms", int()], ["reason", text()], ["hidden", boolean],
    ],
  },
  TerrainEdited: {
    tag: 46,
    fields: [
      ["rx", int()], ["rz", int()], ["version", int()], ["x", int()], ["z", int()], ["width", int()], ["depth", int()],
      ["heights", binary()],
    ],
  },
  Notice: {
    tag: 47,
    fields: [
      ["notice", noticeInfo],
    ],
  },
  Looks: {
    tag: 48,
    fields: [
      ["looks", array(worn)],
    ],
  },
};

/** What Done carries, by the command, or the command and its act. @type {Record<string, import("./codec.js").Type>} */
export const RESULTS = {
  "Order list": array(person),
  "Order show": person,
  "Order invite": secret,
  "Order reports": array(reported),
  "Order audit": array(auditEntry),
  "Account blocked": array(blocked),
  "Account recovery": secret,
  "Account pair": secret,
  "Account tokens": array(tokenInfo),
  "Account bot": secret,
  "Report": int(),
  "EditTerrain": array(edited),
  "Find": array(found),
  "Money balance": balance,
  "Money pay": int(),
  "Money statement": array(statementEntry),
  "Money notices": array(noticeInfo),
  "Money read": int(),
  "Estate parcel": parcelInfo,
  "Estate show": estateInfo,
  "Estate holdings": holdings,
  "Estate history": array(registerEntry),
  "Estate zones": array(zoneInfo),
  "Estate plan": plan,
  "Estate price": int(),
  "Estate rights": rights,
  "Estate claim": estateInfo,
  "Estate describe": estateInfo,
  "Estate split": array(estateInfo),
  "Estate join": estateInfo,
  "Market page": offerPage,
  "Market to_let": leaseOfferPage,
  "Market show": shownOffer,
  "Market terms": leaseTerms,
  "Market trades": trades,
  "Market sell": offer,
  "Market auction": offer,
  "Market buy": bought,
  "Market bid": offer,
  "Market offer_lease": leaseOffer,
  "Market lease": leaseInfo,
  "Market renew": leaseInfo,
};
