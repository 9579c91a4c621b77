/** Becoming somebody who is known: a new account, or one's own of before. */
import { World } from "worldloom";
import { h } from "../app/dom.js";
import { handOver } from "./blocks.js";

export const CLIENT = "worldloom-web/0.1";
/** Kept over the page's coming anew: whose it is now shall be said. */
const BACK = "back";

/**
 * Make an account or find it again, beside the connection that is there; then `comeBack` goes on as that account.
 *
 * @param {import("../app/settings.js").Settings} settings
 * @param {{ name?: string, keep?: true, code?: string, look?: import("worldloom/looks.js").Look | null, before?: number }} who
 *   look: to be kept. before: the guest who becomes this account
 * @returns {Promise<{ name: string, recovery: string }>} recovery: to be shown, told this once; rejects as `connect`
 */
export async function become(settings, { look = null, before = 0, ...who }) {
  const world = new World(location.origin, { ...who, access: settings.recall("access") ?? "", client: CLIENT });
  await world.connect();
  settings.keep("token", world.token);
  settings.keep("access", null);
  if (look) await world.look(look).catch(() => {});
  if (before) await handOver(settings, before, world);
  const { recovery } = world;
  const { name } = world.me;
  await world.leave();
  return { name, recovery };
}

/**
 * The page anew.
 *
 * @param {import("../app/app.js").App} app
 * @param {{ here: boolean }} where at the place where one stands, as by a link to it; or where the account was last
 */
export async function comeBack(app, { here }) {
  const { x, z } = app.body.pose;
  const wait = h("dialog", { class: "gate card" }, h("p", { class: "weaving", role: "status" }, "Coming back…"));
  document.body.append(wait);
  wait.showModal();
  app.goes = true;
  app.settings.keep(BACK, true);
  await app.world.leave();
  history.replaceState(null, "", `${here ? `/@${x.toFixed(1)},${z.toFixed(1)}` : "/"}${location.search}`);
  location.reload();
}

/** Say as who one has come back. @param {import("../app/app.js").App} app */
export function sayWho({ settings, toasts, world }) {
  if (!settings.recall(BACK)) return;
  settings.keep(BACK, null);
  toasts.tell(`You are ${world.me.name} now.`, { kind: "good" });
}
