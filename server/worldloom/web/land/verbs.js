/** Rights in words. Pure. */
import { Verb } from "worldloom";

/** @type {[number, string][]} */
export const VERBS = [
  [Verb.ENTER, "walk in"], [Verb.SEE, "see and hear who is inside"], [Verb.INTERACT, "use what is there"], [Verb.BUILD, "place things"],
  [Verb.TERRAFORM, "change the ground"], [Verb.BOTS, "have bots there"], [Verb.MANAGE, "give rights"], [Verb.LEASE, "offer it to let"],
  [Verb.SELL, "offer it for sale"],
];
/** What everyone can be given. */
export const FOR_ALL = Verb.ENTER | Verb.SEE | Verb.INTERACT | Verb.BOTS | Verb.BUILD | Verb.TERRAFORM;

/** @param {number} verbs @returns {string} */
export function verbWords(verbs) {
  const words = VERBS.filter(([verb]) => verbs & verb).map(([, title]) => title);
  return words.length ? words.join(", ") : "nothing";
}
