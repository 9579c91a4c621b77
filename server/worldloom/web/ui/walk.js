/** A walk that a panel, a link or a click far away begins: it says where to, how far that is, and how it ended. */
import { direction, distance } from "./format.js";

const LOOK_MS = 300;
/** From there one talks, and does not stand in each other. */
const TALK_M = 1.6;
/** Who is told to be beside somebody has them that near. */
const WITH_M = 3;

/**
 * Walk to a place, or as far as where one talks with somebody. Of who is out of view only about where is known: the way
 * leads on from there.
 *
 * @param {import("../app/app.js").App} app
 * @param {{ to: string, x: number, z: number, avatar?: number }} goal to: what it is called within a sentence. x, z:
 *   metres; where somebody is who is not in view. avatar: of somebody
 * @returns {Promise<void>} when the walk is over, and that was told
 */
export async function lead(app, goal) {
  const { body, people, toasts } = app;
  const { to, avatar = 0 } = goal;
  const somebody = () => (avatar ? people?.get(avatar) : undefined);
  let seen = somebody();
  let at = avatar ? beside(app, seen ?? goal) : goal;
  const told = toasts.stay(`Walking to ${to}.`, { label: "Stop", run: () => body.stop() });
  const look = () => {
    told.detail(`${distance(away(app, at))} left`);
    const found = seen ? undefined : somebody();
    if (!found) return;
    seen = found;
    at = beside(app, found);
    ended = body.walkTo(at.x, at.z);
  };
  let ended = body.walkTo(at.x, at.z);
  look();
  const timer = setInterval(look, LOOK_MS);
  try {
    let how = await ended;
    // It led on to somebody who came into view.
    for (let last = null; last !== ended;) how = await (last = ended);
    if (how === "stopped") return;
    const { words, arrived } = how === "there" ? atTheEnd(app, goal) : { arrived: false,
      words: `There is no going on just now: ${distance(away(app, at))} left to ${to}.` };
    toasts.tell(words, arrived ? { kind: "good" } : { act: { label: "Walk on", run: () => void lead(app, { ...goal, ...somebody() }) } });
  } catch (error) {
    toasts.fault(error);
  } finally {
    clearInterval(timer);
    told.end();
  }
}

/** @param {import("../app/app.js").App} app @param {{ to: string, avatar?: number }} goal @returns {{ words: string, arrived: boolean }} */
function atTheEnd(app, { to, avatar = 0 }) {
  if (!avatar) return { words: `You are at ${to}.`, arrived: true };
  const seen = app.people?.get(avatar);
  if (!seen) return { words: `${to} is not in view here.`, arrived: true };
  const far = away(app, seen);
  if (far < WITH_M) return { words: `You are with ${to}.`, arrived: true };
  const { x, z } = app.body.pose;
  return { words: `${to} went on: ${distance(far)} to the ${direction(seen.x - x, seen.z - z)}.`, arrived: false };
}

/** @param {import("../app/app.js").App} app @param {{ x: number, z: number }} at @returns {number} metres from your body */
function away({ body: { pose } }, { x, z }) {
  return Math.hypot(x - pose.x, z - pose.z);
}

/** @param {import("../app/app.js").App} app @param {{ x: number, z: number }} who @returns {{ x: number, z: number }} where to stand with them */
function beside(app, who) {
  const { x, z } = app.body.pose;
  const far = away(app, who);
  const part = far > TALK_M ? (far - TALK_M) / far : 0;
  return { x: x + part * (who.x - x), z: z + part * (who.z - z) };
}
