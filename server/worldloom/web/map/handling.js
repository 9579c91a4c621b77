/** Moving a map by mouse, fingers and keys. Knows no map. */

const STEP_PX = 60;
const CLICK_PX = 6;
const KEY_ZOOM = 1.5;
/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * @typedef {object} Handlers points are of the element
 * @property {(dx: number, dy: number) => void} pan the middle goes there, in points
 * @property {(by: number, left?: number, top?: number) => void} zoom above 1: further away
 * @property {(left: number, top: number) => void} point a click
 * @property {() => void} middle Enter
 * @property {() => void} home
 */

/** @param {HTMLElement} element @param {Handlers} handlers @returns {() => void} lets go */
export function handle(element, handlers) {
  const fingers = /** @type {Map<number, { x: number, y: number }>} */ (new Map());
  let travelled = 0;
  const down = (/** @type {PointerEvent} */ event) => {
    element.setPointerCapture(event.pointerId);
    if (!fingers.size) travelled = 0;
    fingers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
  };
  const move = (/** @type {PointerEvent} */ event) => {
    const finger = fingers.get(event.pointerId);
    if (!finger) return;
    const [dx, dy] = [event.offsetX - finger.x, event.offsetY - finger.y];
    travelled += Math.hypot(dx, dy);
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const before = Math.hypot(finger.x - other.x, finger.y - other.y);
      const after = Math.hypot(event.offsetX - other.x, event.offsetY - other.y);
      if (after > 1) handlers.zoom(before / after, (finger.x + other.x) / 2, (finger.y + other.y) / 2);
    }
    // Of two fingers each moves the middle half as far.
    handlers.pan(-dx / fingers.size, -dy / fingers.size);
    Object.assign(finger, { x: event.offsetX, y: event.offsetY });
  };
  const up = (/** @type {PointerEvent} */ event) => {
    const alone = fingers.size === 1;
    if (fingers.delete(event.pointerId) && alone && travelled < CLICK_PX && event.type === "pointerup") handlers.point(event.offsetX, event.offsetY);
  };
  const wheel = (/** @type {WheelEvent} */ event) => {
    event.preventDefault();
    handlers.zoom(2 ** (Math.max(-240, Math.min(240, event.deltaY)) / 300), event.offsetX, event.offsetY);
  };
  const key = (/** @type {KeyboardEvent} */ event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const arrow = ARROWS[event.key];
    if (arrow) handlers.pan(arrow[0] * STEP_PX, arrow[1] * STEP_PX);
    else if (event.key === "+" || event.key === "=") handlers.zoom(1 / KEY_ZOOM);
    else if (event.key === "-") handlers.zoom(KEY_ZOOM);
    else if (event.key === "Enter") handlers.middle();
    else if (event.key.toLowerCase() === "h") handlers.home();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  // A tap opens a card: what the browser makes of it afterwards would press what has come under the finger.
  const tapped = (/** @type {TouchEvent} */ event) => { if (event.cancelable) event.preventDefault(); };
  /** @type {[string, any, object?][]} */
  const listeners = [["touchend", tapped, { passive: false }], ["pointerdown", down], ["pointermove", move], ["pointerup", up], ["pointercancel", up], ["wheel", wheel, { passive: false }],
    ["keydown", key]];
  for (const [kind, listener, options] of listeners) element.addEventListener(kind, listener, options);
  return () => { for (const [kind, listener] of listeners) element.removeEventListener(kind, listener); };
}
