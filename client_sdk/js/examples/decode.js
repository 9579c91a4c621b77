// How long a frame takes: `node examples/decode.js [avatars]` prints what decoding and taking one in costs.
import { encodeMessage, decodeMessage } from "worldloom/messages";
import { Mirror } from "worldloom/mirror";

const AVATARS = Number(process.argv[2] ?? 3000);
const RADIUS = 2;
const FRAMES = 2000;
const WARM = 400;

/** @param {number[]} words halves of 64 bits @param {number} kind @param {number} cell @param {number} count */
function header(words, kind, cell, count) {
  const dx = (cell % 5) - RADIUS;
  const dz = Math.floor(cell / 5) - RADIUS;
  words.push(kind | ((dx & 255) << 8) | ((dz & 255) << 16), count << 8);
}

/** A body with everybody in it, spread over 5 x 5 cells. @param {boolean} placed @param {number} tick */
function body(placed, tick) {
  const words = /** @type {number[]} */ ([]);
  for (let cell = 0; cell < 25; cell++) {
    const ids = Array.from({ length: AVATARS }, (_, i) => i).filter((i) => i % 25 === cell);
    header(words, placed ? 4 : 3, cell, ids.length);
    ids.forEach((id, slot) => {
      if (placed) words.push(slot | ((id + 1) << 12), (id + 1) >>> 20);
      const x = 1024 + ((id * 37 + tick * 5) & 2047);
      const z = 1024 + ((id * 53 + tick * 3) & 2047);
      words.push(slot | (x << 12) | (z << 24), (z >> 8) | (4096 << 4) | ((tick & 255) << 18) | (1 << 26));
    });
  }
  return new Uint8Array(Uint32Array.from(words).buffer);
}

const mirror = new Mirror();
mirror.welcome(false);
mirror.applyArea({ tick: 0, cx: 0, cz: 0, radius: RADIUS, layers: [0], body: body(true, 0) }, 0);
mirror.applyAreaComplete();
const frames = Array.from({ length: 16 }, (_, i) => (
  encodeMessage({ type: "Frame", tick: i, body: body(false, i + 1), lines: [] })
));
const took = /** @type {number[]} */ ([]);
let moved = 0;
for (let i = 0; i < FRAMES; i++) {
  const start = performance.now();
  const message = /** @type {any} */ (decodeMessage(frames[i % frames.length]));
  moved += mirror.applyFrame(message, 0).length;
  took.push(performance.now() - start);
}
const sorted = took.slice(WARM).sort((a, b) => a - b);
const at = (/** @type {number} */ part) => sorted[Math.floor(part * (sorted.length - 1))].toFixed(3);
console.log(`${AVATARS} avatars, ${Math.round(moved / FRAMES)} moved: median ${at(0.5)} ms a frame, 90 % ${at(0.9)} ms`);
