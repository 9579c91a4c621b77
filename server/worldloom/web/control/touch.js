/** Fingers: the left thumb walks, the right one looks, two zoom; buttons for what has a key elsewhere. */
import { Gesture } from "worldloom";
import { h, icon } from "../app/dom.js";
import { drag, point } from "./pointer.js";

const STICK_PX = 52;
const DEAD = 0.12;
/** Pushed further than its rim, it runs. */
const RUNS_AT = 1.35;
const TAP_PX = 10;
const TAP_MS = 260;
/** Fingers are shorter than desks. */
const LOOKS = 1.5;
const JUMP = "M12 20V6M6 12l6-6 6 6";
const SIT = "M8 4v9h8v7M8 13v7M5 20h6M14 20h4";
const RUN = "M14.5 5.2a1.6 1.6 0 1 0 0-3.2 1.6 1.6 0 0 0 0 3.2M7 10l4-3 3 1 2 3 3 1M11 7.5 9.5 13l3.5 3-1 5M9.5 13 8 17l-4 1";

/** @typedef {{ id: number, x: number, y: number, fromX: number, fromY: number, at: number, isStick: boolean }} Finger */

/**
 * @param {import("../app/app.js").App} app
 * @param {import("./intent.js").Intent} intent
 * @param {import("./camera.js").View} view
 */
export function listenToFingers(app, intent, view) {
  const canvas = app.drawn.renderer.domElement;
  const fingers = /** @type {Map<number, Finger>} */ (new Map());
  const knob = h("div", { class: "stick-knob" });
  const stick = h("div", { class: "stick", hidden: true, "aria-hidden": "true" }, knob);
  const buttons = touchButtons(app, intent);
  app.ui.prepend(stick, buttons);

  const letGo = (/** @type {PointerEvent} */ { pointerId, timeStamp, type }) => {
    const finger = fingers.get(pointerId);
    if (!finger) return;
    const alone = fingers.size === 1;
    fingers.delete(pointerId);
    if (finger.isStick) {
      intent.stick.forward = intent.stick.right = 0;
      intent.stick.run = false;
      stick.hidden = true;
    }
    const still = Math.hypot(finger.x - finger.fromX, finger.y - finger.fromY) < TAP_PX;
    if (alone && still && type === "pointerup" && timeStamp - finger.at < TAP_MS) point(app, finger.x, finger.y);
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "touch") return;
    buttons.hidden = false;
    canvas.setPointerCapture(event.pointerId);
    const isStick = event.clientX < innerWidth / 2 && ![...fingers.values()].some((finger) => finger.isStick);
    const { clientX: x, clientY: y, pointerId: id, timeStamp: at } = event;
    fingers.set(id, { id, x, y, fromX: x, fromY: y, at, isStick });
    if (isStick) {
      stick.style.transform = `translate(${x}px, ${y}px)`;
      knob.style.transform = "";
    }
  });
  canvas.addEventListener("pointermove", (event) => {
    const finger = fingers.get(event.pointerId);
    if (!finger) return;
    const dx = event.clientX - finger.x;
    const dy = event.clientY - finger.y;
    const other = [...fingers.values()].find((one) => one !== finger && !one.isStick);
    if (finger.isStick) {
      finger.x = event.clientX;
      finger.y = event.clientY;
      stick.hidden = false;
      push(intent.stick, finger, knob);
    } else if (other) {
      const before = Math.hypot(finger.x - other.x, finger.y - other.y);
      finger.x = event.clientX;
      finger.y = event.clientY;
      view.zoom(before / Math.max(1, Math.hypot(finger.x - other.x, finger.y - other.y)));
    } else {
      finger.x = event.clientX;
      finger.y = event.clientY;
      drag(app, view, dx * LOOKS, dy * LOOKS);
    }
  });
  // A tap opens something: what the browser makes of it afterwards would press what has come under the finger.
  canvas.addEventListener("touchend", (event) => { if (event.cancelable) event.preventDefault(); }, { passive: false });
  canvas.addEventListener("pointerup", letGo);
  canvas.addEventListener("pointercancel", letGo);
}

/** @param {import("./intent.js").Intent["stick"]} stick @param {Finger} finger @param {HTMLElement} knob */
function push(stick, { x, y, fromX, fromY }, knob) {
  const dx = (x - fromX) / STICK_PX;
  const dy = (y - fromY) / STICK_PX;
  const far = Math.hypot(dx, dy);
  const part = far > 1 ? 1 / far : 1;
  stick.forward = far < DEAD ? 0 : -dy * part;
  stick.right = far < DEAD ? 0 : dx * part;
  stick.run = far > RUNS_AT;
  knob.classList.toggle("running", stick.run);
  knob.style.transform = `translate(${dx * part * STICK_PX}px, ${dy * part * STICK_PX}px)`;
}

/** @param {import("../app/app.js").App} app @param {import("./intent.js").Intent} intent @returns {HTMLElement} */
function touchButtons(app, intent) {
  const run = h("button", { type: "button", "aria-label": "Run", "aria-pressed": "false", on: { click: () => {
    intent.keys.run = !intent.keys.run;
    run.setAttribute("aria-pressed", String(intent.keys.run));
  } } }, icon(RUN));
  const jump = h("button", { type: "button", "aria-label": "Jump", on: { click: () => {
    // By a keyboard: a finger has said so before.
    intent.leap();
    intent.jumpHeld = false;
  } } }, icon(JUMP));
  jump.addEventListener("pointerdown", () => intent.leap());
  for (const kind of ["pointerup", "pointercancel", "pointerleave"]) {
    jump.addEventListener(kind, () => { intent.jumpHeld = false; });
  }
  const sit = h("button", { type: "button", "aria-label": "Sit down", on: { click: () => app.body.gesture(Gesture.SIT) } }, icon(SIT));
  const coarse = matchMedia("(pointer: coarse)").matches;
  return h("div", { class: "touch-buttons", role: "group", "aria-label": "Moving", hidden: !coarse }, sit, run, jump);
}
