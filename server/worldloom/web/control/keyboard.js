/** Keys. They work while nothing else has the keyboard: no text field, no panel. */
import { Gesture } from "worldloom";
import { EMOTES } from "../people/gestures.js";

/** By place on the keyboard, whatever is printed there. @type {Record<string, keyof import("./intent.js").Intent["keys"]>} */
const HELD = {
  KeyW: "ahead", ArrowUp: "ahead", KeyS: "back", ArrowDown: "back", KeyA: "left", KeyD: "right", ArrowLeft: "turnLeft",
  KeyQ: "turnLeft", ArrowRight: "turnRight", KeyE: "turnRight", PageUp: "up", PageDown: "down", ShiftLeft: "run",
  ShiftRight: "run",
};
/** What the picture tells of itself. */
export const KEYS_TOLD = "The world. Walk with W, A, S, D or the arrow keys, turn with Q and E, look up and down with "
  + "Page Up and Page Down. Shift runs, Space jumps, X sits down, V changes the view, plus and minus zoom, 1 to 8 are "
  + "gestures, Enter goes to the chat, Escape comes back here.";
/** Of a button these keys press it. */
const PRESSES = new Set(["Space", "Enter"]);

/**
 * @param {import("../app/app.js").App} app
 * @param {import("./intent.js").Intent} intent
 * @param {import("./camera.js").View} view
 */
export function listenToKeys(app, intent, view) {
  const canvas = app.drawn.renderer.domElement;
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-label", KEYS_TOLD);
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !inPanel(event.target)) canvas.focus({ preventScroll: true });
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || !isOurs(event)) return;
    if (pressed(app, intent, view, event)) event.preventDefault();
    // Who walks is no more at the button that was pressed before.
    if (HELD[event.code] && event.target !== canvas) canvas.focus({ preventScroll: true });
  });
  addEventListener("keyup", ({ code }) => {
    if (HELD[code]) intent.keys[HELD[code]] = false;
    if (code === "Space") intent.jumpHeld = false;
  });
  addEventListener("blur", () => intent.release());
  // What was held when a field or a panel took the keyboard is let go elsewhere.
  addEventListener("focusin", ({ target }) => { if (isText(target) || inPanel(target)) intent.release(); });
}

/**
 * @param {import("../app/app.js").App} app
 * @param {import("./intent.js").Intent} intent
 * @param {import("./camera.js").View} view
 * @param {KeyboardEvent} event
 * @returns {boolean} whether it was one of ours
 */
function pressed(app, intent, view, event) {
  const { code, key, repeat } = event;
  const held = HELD[code];
  if (held) {
    intent.keys[held] = true;
    return true;
  }
  if (repeat) return code === "Space";
  switch (code) {
    case "Space": intent.leap(); return true;
    case "KeyX": case "KeyC": app.body.gesture(Gesture.SIT); return true;
    case "KeyV": view.toggle(); return true;
    case "Enter": case "NumpadEnter": return focusChat(app);
    default:
  }
  if (key === "+" || key === "=") view.zoom(1 / 1.2);
  else if (key === "-") view.zoom(1.2);
  else if (/^Digit[1-9]$/.test(code) && !event.shiftKey && EMOTES[Number(code[5]) - 1]) {
    app.body.gesture(EMOTES[Number(code[5]) - 1][0]);
  } else return key.length === 1 && app.panels.pressed(key);
  return true;
}

/** @param {import("../app/app.js").App} app @returns {boolean} */
function focusChat(app) {
  const { chat } = /** @type {{ chat?: { focus: () => void } }} */ (/** @type {unknown} */ (app));
  chat?.focus();
  return Boolean(chat);
}

/** @param {KeyboardEvent} event @returns {boolean} */
function isOurs({ target, code }) {
  if (isText(target) || inPanel(target)) return false;
  const button = target instanceof Element && target.closest("button, a, summary, [role=button]");
  return !(button && PRESSES.has(code));
}

/** @param {EventTarget | null} target */
function isText(target) {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"));
}

/** @param {EventTarget | null} target */
function inPanel(target) {
  return target instanceof Element && target.closest("[role=dialog], dialog") !== null;
}
