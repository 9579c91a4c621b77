// What the live tests share.
import { World } from "../src/index.js";

export const url = process.env.WORLDLOOM_URL ?? "";
export const skip = !url ? "WORLDLOOM_URL says no server"
  : !globalThis.WebSocket ? "this Node has no WebSocket: give it --experimental-websocket" : false;
/** So that two runs in one world take no name from each other. */
export const mark = Math.random().toString(36).slice(2, 7);
export const WITHIN = { timeoutMs: 10_000 };

/** @param {string} name @param {Record<string, any>} [options] */
export async function enter(name, options = {}) {
  const sockets = /** @type {WebSocket[]} */ ([]);
  class Watched extends WebSocket {
    /** @param {string} address */
    constructor(address) {
      super(address);
      sockets.push(this);
    }
  }
  const world = new World(url, { name, WebSocket: Watched, ...options });
  const whole = world.next("whole", WITHIN);
  await world.connect();
  await whole;
  return { world, cut: () => sockets[sockets.length - 1].close() };
}

/** @param {World} world @param {number} id */
export async function sees(world, id) {
  const found = () => world.mirror.avatars.get(id);
  return found() ?? (await world.next("entered", { ...WITHIN, where: ({ avatar }) => avatar.id === id })).avatar;
}
