/** Coming in: as who one was before, else as a guest; and what to do where that is refused. */
import { World } from "worldloom";
import { isOwn, placeOf } from "../control/place.js";
import { Gate } from "./gate.js";
import { CLIENT } from "./keeping.js";

/** Kept from the moment a page goes until the next one of the same tab: a reload goes on with the same body. */
const RESUME = "worldloom:resume";

/**
 * @param {{ ui: HTMLElement, settings: import("../app/settings.js").Settings,
 *   toasts: import("../app/toasts.js").Toasts }} page
 * @returns {Promise<World>} that is connected
 */
export async function enter({ settings }) {
  const gate = new Gate(document.documentElement.dataset.world ?? "this world");
  const { access, code } = fromLink();
  // An account comes back to where it was last, on whichever device that was.
  const at = isOwn() && settings.recall("token") ? null : placeOf(location.pathname);
  /** @type {import("worldloom/world.js").Options} */
  let who = { token: settings.recall("token"), access: access || settings.recall("access") || "", resume: resumable() };
  if (code) who = (await gate.pairing(code)) ?? who;
  for (;;) {
    const world = new World(location.origin, { ...who, at, client: CLIENT });
    gate.wait();
    try {
      await world.connect();
    } catch (error) {
      if (forgets(error, who)) settings.keep("token", null);
      who = await gate.ask(error, who);
      continue;
    }
    gate.close();
    keep(settings, world, who);
    return world;
  }
}

/** What the link brings along; it does not stay in the address bar. @returns {{ access: string, code: string }} */
function fromLink() {
  const url = new URL(location.href);
  const access = url.searchParams.get("access") ?? "";
  const code = url.searchParams.get("code") ?? "";
  if (access || code) {
    url.searchParams.delete("access");
    url.searchParams.delete("code");
    history.replaceState(history.state, "", url.pathname + url.search);
  }
  return { access, code };
}

/** @returns {string | null} what goes on with the session of the page before */
function resumable() {
  try {
    const kept = sessionStorage.getItem(RESUME);
    sessionStorage.removeItem(RESUME);
    return kept;
  } catch {
    return null;
  }
}

/** @param {import("../app/settings.js").Settings} settings @param {World} world @param {any} who */
function keep(settings, world, { access }) {
  if (world.token) settings.keep("token", world.token);
  // The world's password, for the next time that this browser comes as a guest.
  settings.keep("access", !world.token && access ? access : null);
  addEventListener("pagehide", () => {
    try {
      if (!world.closed && world.resume) sessionStorage.setItem(RESUME, world.resume);
    } catch {
      // Then the body stays for a little while, and another one comes.
    }
  });
}

/** @param {any} error @param {any} who @returns {boolean} whether this browser's token is good for nothing any more */
function forgets(error, who) {
  return error?.code === "token" && Boolean(who.token) && !who.code;
}
