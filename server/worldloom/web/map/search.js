/** Finding on the map: somebody, a place by its numbers, an estate by its name. */
import { distance } from "../ui/format.js";

const MOST = 6;
const PLACE = /^\s*@?(-?\d+(?:\.\d+)?)\s*[,; ]\s*(-?\d+(?:\.\d+)?)\s*$/;
const PARCEL_M = 16;

/**
 * @typedef {{ avatar: number, name: string }} Who
 * @typedef {{ title: string, about: string, x: number, z: number, who?: Who }} Found metres. `who`: somebody; the server tells of those
 *   out of view only the middle of a cell of 32 m
 */

/**
 * @param {import("../app/app.js").App} app
 * @param {import("../land/data.js").LandData} land
 * @param {string} wanted
 * @returns {Promise<Found[]>}
 */
export async function found(app, land, wanted) {
  const place = PLACE.exec(wanted);
  if (place) {
    const [x, z] = [Number(place[1]), Number(place[2])];
    return [{ title: `${x}, ${z}`, about: "a place", x, z }];
  }
  const [people, estates] = await Promise.all([peopleCalled(app, wanted), estatesCalled(app, land, wanted)]);
  return [...people, ...estates];
}

/** @param {import("../app/app.js").App} app @param {string} wanted @returns {Promise<Found[]>} */
async function peopleCalled(app, wanted) {
  const { world } = app;
  const near = (app.people?.list() ?? []).filter(({ name }) => has(name, wanted));
  // In view it is known better where somebody is than by the answer.
  const far = await Promise.resolve(/** @type {any} */ (world).find?.(wanted.slice(0, 24)) ?? []).catch(() => []);
  const others = far.filter((/** @type {any} */ { avatar }) => avatar !== world.welcome?.you && !near.some((one) => one.avatar === avatar));
  const { x, z } = world.me;
  return [...near, ...others].slice(0, MOST).map((one) => ({
    title: one.name, about: distance(Math.hypot(one.x - x, one.z - z)), x: one.x, z: one.z, who: { avatar: one.avatar, name: one.name } }));
}

/**
 * @param {import("../app/app.js").App} app
 * @param {import("../land/data.js").LandData} land
 * @param {string} wanted
 * @returns {Promise<Found[]>}
 */
async function estatesCalled(app, land, wanted) {
  const known = [...land.estates.values()].filter(({ name }) => has(name, wanted)).map((estate) => ({
    estate: estate.estate, title: estate.name, about: `of ${estate.owner_name}`, ...middleOf(estate.runs) }));
  const text = { text: wanted.slice(0, 64), limit: MOST };
  const { trade } = app.world;
  const pages = await Promise.all([trade.market("page", text), trade.market("to_let", text)]).catch(() => []);
  const offered = pages.flatMap(({ offers }) => offers).map((/** @type {any} */ offer) => ({
    estate: offer.estate, title: offer.name || `Estate ${offer.estate}`, about: offer.listing ? "for sale" : "to let",
    x: (offer.px + 0.5) * PARCEL_M, z: (offer.pz + 0.5) * PARCEL_M }));
  const all = new Map([...known, ...offered].map((one) => [one.estate, one]));
  return [...all.values()].slice(0, MOST);
}

/** @param {{ px: number, pz: number, n: number }[]} runs */
function middleOf(runs) {
  const middle = runs[Math.floor(runs.length / 2)];
  return { x: (middle.px + middle.n / 2) * PARCEL_M, z: (middle.pz + 0.5) * PARCEL_M };
}

/** @param {string} name @param {string} part */
function has(name, part) {
  return name.toLocaleLowerCase().includes(part.trim().toLocaleLowerCase());
}
