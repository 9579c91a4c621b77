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
 * @typedef {{ avatar: number, name: string, reach: number }} Blocked reach: a BlockReach
 * @typedef {{ avatar: number, name: string, kind: string, x: number, z: number }} Found x and z: the middle of a cell
 *   of 32 m, in metres
 * @typedef {{ rx: number, rz: number, version: number }} Edited
 */
import { RESULTS } from "./protocol.generated.js";

/**
 * @param {import("./messages.js").Message} command that was carried out
 * @param {any} raw the `result` of its Done
 * @returns {any} undefined where the command has none; throws WireError
 */
export function readResult(command, raw) {
  const name = command.act ? `${command.type} ${command.act}` : command.type;
  return RESULTS[name]?.read(raw, `the result of ${name}`);
}
