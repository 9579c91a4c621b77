/** The types of fields, and how values of each are read and written. Pure. */
import { WireError } from "./errors.js";

/**
 * @typedef {{ read: (raw: any, path: string) => any, write: (value: any, path: string) => any }} Type
 * @typedef {[name: string, type: Type, ifLeftOut?: any]} Field a third element marks one that may be left out
 */

const U32 = 0xffffffff;
const WIDEST = Number.MAX_SAFE_INTEGER;

/**
 * @param {string} path
 * @param {string} expected
 * @param {any} got
 * @returns {never}
 */
function wrong(path, expected, got) {
  const shown = got === null ? "nil" : Array.isArray(got) ? `an array of ${got.length}` : typeof got;
  throw new WireError(`${path}: expected ${expected}, got ${typeof got === "number" ? got : shown}`);
}

/**
 * @param {(value: any) => boolean} good
 * @param {string} expected
 * @returns {Type}
 */
function same(good, expected) {
  /** @param {any} value @param {string} path */
  const check = (value, path) => (good(value) ? value : wrong(path, expected, value));
  return { read: check, write: check };
}

/** @param {number} [min] @param {number} [max] @returns {Type} */
export function int(min = -WIDEST, max = WIDEST) {
  const good = (/** @type {any} */ value) => Number.isInteger(value) && value >= min && value <= max;
  const { read, write } = same(good, `integer, ${min} to ${max}`);
  return { read, write: (value, path) => wide(write(value, path)) };
}

/** The packer makes a 64-bit integer of a bigint only, and a float of any wide number. @param {number} value */
function wide(value) {
  return value > U32 || value < -0x80000000 ? BigInt(value) : value;
}

/** @param {string} text @returns {number} code points */
function length(text) {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** @param {number} [max] @param {number} [min] @returns {Type} */
export function text(max = Infinity, min = 0) {
  const good = (/** @type {any} */ value) =>
    typeof value === "string" && (max === Infinity || (value.length <= 2 * max && length(value) <= max))
    && value.length >= min;
  const { read, write } = same(good, `text, ${min} to ${max} characters`);
  // Half of a surrogate pair has no UTF-8; the server would not be able to read the whole message.
  return { read, write: (value, path) => write(value, path).replace(/\p{Surrogate}/gu, "\ufffd") };
}

/**
 * Of a few words. Read is any: a newer server may know more.
 *
 * @param {readonly string[]} words
 * @returns {Type}
 */
export function oneOf(words) {
  const { write } = same((value) => words.includes(value), `one of ${words.join(", ")}`);
  return { read: text().read, write };
}

/** @param {number} [min] @param {number} [max] @returns {Type} */
export function binary(min = 0, max = Infinity) {
  return same(
    (value) => value instanceof Uint8Array && value.length >= min && value.length <= max,
    `binary, ${min} to ${max} bytes`,
  );
}

/** Whatever it is: what it means depends on the message it answers. @type {Type} */
export const anything = {
  read: (raw) => raw,
  write: (value, path) => {
    if (Array.isArray(value)) return value.map((item) => anything.write(item, path));
    return typeof value === "number" ? int().write(value, path) : value;
  },
};

export const boolean = same((value) => typeof value === "boolean", "boolean");

/** @param {Type} type @returns {Type} */
export function orNil(type) {
  return {
    read: (raw, path) => (raw === null ? null : type.read(raw, path)),
    write: (value, path) => (value === null || value === undefined ? null : type.write(value, path)),
  };
}

/** @param {Type} type @param {number} [min] @param {number} [max] @returns {Type} */
export function array(type, min = 0, max = Infinity) {
  /** @param {"read" | "write"} way @returns {(list: any, path: string) => any[]} */
  const each = (way) => (list, path) => {
    if (!Array.isArray(list) || list.length < min || list.length > max) {
      wrong(path, `array of ${min} to ${max}`, list);
    }
    return list.map((/** @type {any} */ item, /** @type {number} */ i) => type[way](item, `${path}[${i}]`));
  };
  return { read: each("read"), write: each("write") };
}

/** @param {...Field} fields @returns {Type} */
export function struct(...fields) {
  return {
    read: (raw, path) => (Array.isArray(raw) ? readFields(fields, raw, 0, path) : wrong(path, "array", raw)),
    write: (value, path) => writeFields(fields, value, path),
  };
}

/**
 * @param {Field[]} fields
 * @param {any[]} raw
 * @param {number} from
 * @param {string} path
 * @returns {Record<string, any>}
 */
export function readFields(fields, raw, from, path) {
  /** @type {Record<string, any>} */
  const values = {};
  // What is there beyond the fields comes from a newer server, and is not looked at.
  fields.forEach(([name, type, ...ifLeftOut], i) => {
    if (from + i < raw.length) values[name] = type.read(raw[from + i], `${path}.${name}`);
    else if (ifLeftOut.length) values[name] = Array.isArray(ifLeftOut[0]) ? [] : ifLeftOut[0];
    else throw new WireError(`${path}.${name} is missing`);
  });
  return values;
}

/**
 * @param {Field[]} fields
 * @param {Record<string, any>} value
 * @param {string} path
 * @returns {any[]}
 */
export function writeFields(fields, value, path) {
  let last = fields.length;
  // An older server takes fewer fields, and not one more: what is not given at the end is left out.
  while (last > 0 && fields[last - 1].length > 2 && value[fields[last - 1][0]] === undefined) last--;
  return fields.slice(0, last).map(([name, type, ...ifLeftOut]) => (
    type.write(value[name] === undefined && ifLeftOut.length ? ifLeftOut[0] : value[name], `${path}.${name}`)
  ));
}
