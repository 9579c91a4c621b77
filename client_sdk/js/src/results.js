/**
 * What Done carries, as objects with the protocol page's names. Pure.
 *
 * @typedef {{ text: string, until_ms: number, account: number }} Secret a code or key, told this once; `until_ms` is
 *   Unix time, 0: without end
 * @typedef {{ id: string, name: string, label: string, scopes: string[] | null, made_ms: number, used_ms: number,
 *   current: boolean }} TokenInfo
 * @typedef {{ kind: string, reason: string, made_ms: number, until_ms: number, by: string, network: string }} Sanction
 * @typedef {{ avatar: number, name: string, role: string, here: boolean, of: string, hidden: boolean,
 *   made_ms: number, seen_ms: number, address: string, sanctions: Sanction[], is_bot: boolean }} Person
 * @typedef {{ number: number, at_ms: number, by: string, about: string, text: string }} Reported
 * @typedef {{ number: number, at_ms: number, by: string, act: string, about: string, text: string,
 *   until_ms: number }} AuditEntry
 * @typedef {{ rx: number, rz: number, version: number }} Edited
 */
import { array, boolean, int, orNil, struct, text } from "./codec.js";

const any = int();

const secret = struct(["text", text()], ["until_ms", any, 0], ["account", any, 0]);
const tokenInfo = struct(
  ["id", text()], ["name", text()], ["label", text()], ["scopes", orNil(array(text()))], ["made_ms", any],
  ["used_ms", any], ["current", boolean],
);
const sanction = struct(
  ["kind", text()], ["reason", text()], ["made_ms", any], ["until_ms", any], ["by", text()], ["network", text(), ""],
);
const person = struct(
  ["avatar", any], ["name", text()], ["role", text()], ["here", boolean], ["of", text(), ""],
  ["hidden", boolean, false], ["made_ms", any, 0], ["seen_ms", any, 0], ["address", text(), ""],
  ["sanctions", array(sanction), []], ["is_bot", boolean, false],
);
const reported = struct(["number", any], ["at_ms", any], ["by", text()], ["about", text()], ["text", text()]);
const auditEntry = struct(
  ["number", any], ["at_ms", any], ["by", text()], ["act", text()], ["about", text()], ["text", text()],
  ["until_ms", any, 0],
);

const edited = struct(["rx", any], ["rz", any], ["version", any]);

/** By the command, or the command and its act. @type {Record<string, import("./codec.js").Type>} */
const RESULTS = {
  "Order list": array(person),
  "Order show": person,
  "Order invite": secret,
  "Order reports": array(reported),
  "Order audit": array(auditEntry),
  "Account recovery": secret,
  "Account pair": secret,
  "Account tokens": array(tokenInfo),
  "Account bot": secret,
  Report: any,
  EditTerrain: array(edited),
};

/**
 * @param {import("./messages.js").Message} command that was carried out
 * @param {any} raw the `result` of its Done
 * @returns {any} undefined where the command has none; throws WireError
 */
export function readResult(command, raw) {
  const name = command.act ? `${command.type} ${command.act}` : command.type;
  return RESULTS[name]?.read(raw, `the result of ${name}`);
}
