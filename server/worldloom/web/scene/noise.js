/** Unevenness by code: numbers from places, and a texture that repeats without a seam. */
import { DataTexture, LinearFilter, LinearMipmapLinearFilter, RepeatWrapping } from "three";

const SIDE = 256;
/** Bumps of the broadest octave along one side. */
const BUMPS = 4;
const OCTAVES = 5;

/** @param {number} x integer @param {number} y integer @param {number} [key] @returns {number} 0 to 1 */
export function hash(x, y, key = 0) {
  let h = Math.imul(x, 0x27d4eb2d) ^ Math.imul(y, 0x165667b1) ^ Math.imul(key + 1, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 4294967296;
}

/**
 * Several octaves of value noise that repeat.
 *
 * @param {number} key
 * @returns {Float32Array} 256 x 256, about 0 to 1
 */
function field(key) {
  const out = new Float32Array(SIDE * SIDE);
  for (let octave = 0, weight = 0.5; octave < OCTAVES; octave++, weight /= 2) {
    const bumps = BUMPS << octave;
    const step = SIDE / bumps;
    for (let y = 0, i = 0; y < SIDE; y++) {
      const [cy, fy] = [Math.floor(y / step), fade((y / step) % 1)];
      for (let x = 0; x < SIDE; x++, i++) {
        const [cx, fx] = [Math.floor(x / step), fade((x / step) % 1)];
        const [nx, ny] = [(cx + 1) % bumps, (cy + 1) % bumps];
        const low = hash(cx, cy, key + octave) * (1 - fx) + hash(nx, cy, key + octave) * fx;
        const high = hash(cx, ny, key + octave) * (1 - fx) + hash(nx, ny, key + octave) * fx;
        out[i] += weight * (low * (1 - fy) + high * fy);
      }
    }
  }
  return out;
}

/** @param {number} t */
function fade(t) {
  return t * t * (3 - 2 * t);
}

/**
 * Red is a height, green and blue its slopes along u and v (0.5 is level), alpha another height. Of period 1.
 *
 * @returns {DataTexture}
 */
export function noiseTexture() {
  const [one, other] = [field(1), field(101)];
  const data = new Uint8Array(4 * SIDE * SIDE);
  for (let y = 0, i = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++, i++) {
      const right = one[y * SIDE + ((x + 1) % SIDE)] - one[y * SIDE + ((x + SIDE - 1) % SIDE)];
      const below = one[((y + 1) % SIDE) * SIDE + x] - one[((y + SIDE - 1) % SIDE) * SIDE + x];
      data.set([255 * stretched(one[i]), 127.5 - 900 * right, 127.5 - 900 * below, 255 * stretched(other[i])], 4 * i);
    }
  }
  for (let i = 0; i < data.length; i++) data[i] = Math.max(0, Math.min(255, data[i]));
  const texture = new DataTexture(data, SIDE, SIDE);
  texture.wrapS = texture.wrapT = RepeatWrapping;
  texture.magFilter = LinearFilter;
  texture.minFilter = LinearMipmapLinearFilter;
  texture.generateMipmaps = true;
  texture.anisotropy = 4;
  texture.needsUpdate = true;
  return texture;
}

/** @param {number} value sums of octaves crowd in the middle @returns {number} 0 to 1 */
function stretched(value) {
  return Math.max(0, Math.min(1, (value - 0.484) * 1.9 + 0.5));
}
