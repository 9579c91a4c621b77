/** What a typed line means: how loud, to whom. Pure. */

/** @typedef {"say" | "shout" | "region" | "whisper"} Kind */

/** How each is called, and how far it carries. @type {Record<Kind, { title: string, about: string }>} */
export const KINDS = {
  say: { title: "Say", about: "to those within 20 m" },
  shout: { title: "Shout", about: "to those within 100 m" },
  region: { title: "Region", about: "to all of this region" },
  whisper: { title: "Whisper", about: "to one person, wherever" },
};

/** By SayKind of the wire. @type {Kind[]} */
export const SPOKEN = ["say", "shout", "region"];

/** @type {Record<string, Kind>} */
const SHORT = {
  say: "say", s: "shout", shout: "shout", r: "region", region: "region", w: "whisper", whisper: "whisper", tell: "whisper",
};

/**
 * @param {string} typed
 * @returns {{ kind: Kind | null, name: string, text: string, problem: string }} kind null: as is chosen. name: of a
 *   whisper; empty: to whom it is chosen
 */
export function readLine(typed) {
  const line = typed.trim();
  if (!line.startsWith("/")) return { kind: null, name: "", text: line, problem: "" };
  // Two slashes: a line that begins with one.
  if (line.startsWith("//")) return { kind: null, name: "", text: line.slice(1), problem: "" };
  const [, word, rest] = /** @type {RegExpMatchArray} */ (line.match(/^\/(\S*)\s*(.*)$/s));
  const kind = SHORT[word.toLowerCase()];
  if (!kind) return { kind: null, name: "", text: "", problem: `There is no /${word}. Try /s, /r, or /w NAME.` };
  if (kind !== "whisper") return { kind, name: "", text: rest, problem: "" };
  const named = rest.match(/^"([^"]+)"\s*(.*)$/s) ?? rest.match(/^(\S+)\s*(.*)$/s);
  if (!named) return { kind, name: "", text: "", problem: "Expected /w NAME and what you want to say." };
  return { kind, name: named[1], text: named[2], problem: "" };
}

/**
 * Who is meant by a typed name: names may have spaces, and `/w Ada Lovelace hello` is meant for the longer one.
 *
 * @template {{ name: string }} P
 * @param {string} typed all after `/w `
 * @param {Iterable<P>} people
 * @returns {{ person: P, text: string } | null}
 */
export function addressed(typed, people) {
  const wanted = typed.replace(/^"([^"]+)"/, "$1");
  const said = wanted.toLocaleLowerCase();
  let best = null;
  for (const person of people) {
    const name = person.name.toLocaleLowerCase();
    if (!name || !(said === name || said.startsWith(`${name} `))) continue;
    if (!best || name.length > best.person.name.length) best = { person, text: wanted.slice(name.length).trim() };
  }
  return best;
}
