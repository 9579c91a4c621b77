/** Names and words over heads: elements from a pool, moved by transform. The chat log has the words for readers. */
import { Gesture } from "worldloom";
import { Vector3 } from "three";
import { h } from "../app/dom.js";
import { ME } from "./roster.js";

const TAGS = 30;
const SHOWN_M = 42;
const FADES_FROM_M = 20;
/** Words carry further than names. */
const HEARD_M = 110;
const WORDS = 180;
const SPEAKS_MS = 2600;
const SPEAKS_MS_PER_CHAR = 60;
const SPEAKS_MOST_MS = 12_000;
/** Steps along a line of sight. */
const SIGHT_STEPS = 8;
/** Between words and the edge of the window. */
const EDGE_PX = 6;
/** The tip of a bubble does not leave its round corner. */
const TIP_PX = 22;

/**
 * @typedef {{ root: HTMLElement, name: HTMLElement, bot: HTMLElement, bubble: HTMLElement, slot: number, avatar: number,
 *   label: string, width: number, height: number, tip: number, x: number, y: number, lean: number, fade: number, seen: boolean }} Tag
 *   tip: how far that of the bubble may be from its middle, points
 * @typedef {{ text: string, until: number }} Words
 */

/** @returns {Tag} */
function makeTag() {
  const name = h("span", { class: "tag-name" });
  const bot = h("span", { class: "tag-bot", hidden: true }, "bot");
  const bubble = h("div", { class: "bubble", hidden: true });
  const root = h("div", { class: "tag", hidden: true }, bubble, h("div", { class: "tag-line" }, name, bot));
  return { root, name, bot, bubble, slot: -1, avatar: 0, label: "", width: 0, height: 0, tip: 0, x: NaN, y: NaN, lean: 0, fade: -1, seen: true };
}

export class Tags {
  #app;
  #roster;
  #root = h("div", { class: "tags", "aria-hidden": "true" });
  #tags = Array.from({ length: TAGS }, makeTag);
  #shown = 0;
  #words = /** @type {Map<number, Words>} */ (new Map());
  #at = new Vector3();

  /** @param {import("../app/app.js").App} app @param {import("./roster.js").Roster} roster */
  constructor(app, roster) {
    this.#app = app;
    this.#roster = roster;
    for (const { root } of this.#tags) this.#root.append(root);
    app.ui.prepend(this.#root);
  }

  /** @param {number} slot @param {string} text */
  speak(slot, text) {
    const shown = text.length > WORDS ? `${text.slice(0, WORDS - 1).trimEnd()}…` : text;
    const until = performance.now() + Math.min(SPEAKS_MS + SPEAKS_MS_PER_CHAR * shown.length, SPEAKS_MOST_MS);
    this.#words.set(slot, { text: shown, until });
  }

  /**
   * Whose tags are shown, a few times a second.
   *
   * @param {Int32Array} near slots, nearest first
   * @param {number} count
   * @param {number} now
   * @param {(x: number, z: number) => number | undefined} ground
   */
  choose(near, count, now, ground) {
    for (const [slot, { until }] of this.#words) {
      if (until < now || (slot !== ME && !this.#roster.poses.avatars[slot])) this.#words.delete(slot);
    }
    let used = 0;
    if (this.#words.has(ME) && this.#app.view?.mode !== "first") this.#fill(this.#tags[used++], ME);
    for (const slot of this.#words.keys()) {
      if (used < TAGS && slot !== ME && this.#roster.distance[slot] < HEARD_M) this.#fill(this.#tags[used++], slot);
    }
    for (let i = 0; i < count && used < TAGS; i++) {
      const slot = near[i];
      if (this.#words.has(slot) || this.#roster.distance[slot] > SHOWN_M) continue;
      this.#fill(this.#tags[used++], slot);
    }
    for (let i = used; i < this.#shown; i++) {
      this.#tags[i].root.hidden = true;
      this.#tags[i].slot = -1;
    }
    this.#shown = used;
    for (let i = 0; i < used; i++) this.#look(this.#tags[i], i, ground);
  }

  /** @param {number} now @param {number} mine your own gesture */
  frame(now, mine) {
    void mine;
    const { poses, distance } = this.#roster;
    const { camera, renderer } = this.#app.drawn;
    const { clientWidth: width, clientHeight: height } = renderer.domElement;
    for (let i = 0; i < this.#shown; i++) {
      const tag = this.#tags[i];
      const { slot } = tag;
      const at = this.#at.set(poses.x[slot], poses.y[slot] + headHeight(poses.gesture[slot]), poses.z[slot]);
      at.project(camera);
      const words = this.#words.get(slot);
      const gone = at.z > 1 || Math.abs(at.x) > 1.1 || Math.abs(at.y) > 1.2 || poses.avatars[slot]?.id !== (slot === ME ? undefined : tag.avatar);
      const near = 1 - Math.max(0, distance[slot] - FADES_FROM_M) / (SHOWN_M - FADES_FROM_M);
      const fade = gone || !tag.seen ? 0 : words && words.until > now ? 1 : Math.round(Math.max(0, near) * 8) / 8;
      if (fade !== tag.fade) {
        tag.fade = fade;
        tag.root.style.opacity = String(fade);
      }
      if (fade === 0) continue;
      const head = Math.round((at.x + 1) * width) / 2;
      const y = Math.round((1 - at.y) * height) / 2;
      if (!words) {
        this.#place(tag, head, y, 0);
        continue;
      }
      const side = tag.width / 2 + EDGE_PX;
      const x = within(head, side, width - side);
      this.#place(tag, x, within(y, tag.height + EDGE_PX, height - EDGE_PX), within(head - x, -tag.tip, tag.tip));
    }
  }

  dispose() {
    this.#root.remove();
  }

  /** @param {Tag} tag @param {number} x of its middle, points @param {number} y of its foot @param {number} lean of the bubble's tip from there */
  #place(tag, x, y, lean) {
    if (x !== tag.x || y !== tag.y) {
      tag.x = x;
      tag.y = y;
      tag.root.style.transform = `translate(${x}px, ${y}px) translate(-50%, -100%)`;
    }
    if (lean === tag.lean) return;
    tag.lean = lean;
    tag.bubble.style.setProperty("--lean", `${lean}px`);
  }

  /** @param {Tag} tag @param {number} slot */
  #fill(tag, slot) {
    const avatar = slot === ME ? 0 : this.#roster.poses.avatars[slot]?.id ?? 0;
    const { name = "", kind = "" } = (slot === ME ? undefined : this.#roster.person(avatar)) ?? {};
    const words = this.#words.get(slot)?.text ?? "";
    const label = `${name}\n${kind}\n${words}`;
    tag.slot = slot;
    tag.root.hidden = false;
    if (tag.avatar === avatar && tag.label === label) return;
    tag.avatar = avatar;
    tag.label = label;
    tag.name.textContent = name;
    tag.bot.hidden = kind !== "bot";
    tag.root.classList.toggle("tag-staff", kind === "owner" || kind === "moderator");
    tag.bubble.textContent = words;
    tag.bubble.hidden = !words;
    tag.width = tag.root.offsetWidth;
    tag.height = tag.root.offsetHeight;
    tag.tip = Math.max(0, tag.bubble.offsetWidth / 2 - TIP_PX);
    tag.x = NaN;
  }

  /** Whether it is to be seen: not behind a hill, nor another's. @param {Tag} tag @param {number} rank @param {(x: number, z: number) => number | undefined} ground */
  #look(tag, rank, ground) {
    const order = String(TAGS - rank);
    if (tag.root.style.zIndex !== order) tag.root.style.zIndex = order;
    tag.seen = !this.#covered(tag, rank) && this.#inSight(tag.slot, ground);
  }

  /** By the tags before it, which are nearer or have words. @param {Tag} tag @param {number} rank @returns {boolean} */
  #covered(tag, rank) {
    for (let i = 0; i < rank; i++) {
      const other = this.#tags[i];
      if (!other.seen || other.fade === 0) continue;
      const apart = Math.abs(other.x - tag.x) * 2 - (other.width + tag.width);
      if (apart < -6 && tag.y > other.y - other.height + 2 && tag.y - tag.height < other.y - 2) return true;
    }
    return false;
  }

  /** @param {number} slot @param {(x: number, z: number) => number | undefined} ground @returns {boolean} */
  #inSight(slot, ground) {
    const { poses } = this.#roster;
    const eye = this.#app.drawn.camera.position;
    const top = poses.y[slot] + 1.8;
    for (let step = 1; step < SIGHT_STEPS; step++) {
      const part = step / SIGHT_STEPS;
      const height = ground(eye.x + part * (poses.x[slot] - eye.x), eye.z + part * (poses.z[slot] - eye.z));
      if (height !== undefined && height > eye.y + part * (top - eye.y)) return false;
    }
    return true;
  }
}

/** @param {number} gesture @returns {number} metres over the feet, with room for hair */
function headHeight(gesture) {
  if (gesture === Gesture.SIT) return 1.28;
  if (gesture === Gesture.SWIM) return 0.85;
  return 1.95;
}

/** @param {number} value @param {number} least @param {number} most @returns {number} the nearest between them */
function within(value, least, most) {
  return Math.max(least, Math.min(value, most));
}
