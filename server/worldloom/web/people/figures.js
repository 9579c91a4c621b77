/** People made of rings: the four bodies, and a plain one for those far away. Facing +Z, feet at 0, metres. */
import { BufferGeometry, Float32BufferAttribute } from "three";

/** @enum {number} what a vertex hangs on; the left is at +X */
export const Bone = Object.freeze({ TRUNK: 0, HEAD: 1, ARM_L: 2, ARM_R: 3, LEG_L: 4, LEG_R: 5 });
/** @enum {number} which colour of a look it has; the last two are the same for all */
export const Tint = Object.freeze({ SKIN: 0, HAIR: 1, TOP: 2, LEGS: 3, SHOES: 4, EYES: 5, WHITES: 6 });
/** Where the joints turn: heights, and how far from the middle. */
export const JOINT_AT = Object.freeze({ hip: 0.8, hipX: 0.095, knee: 0.45, shoulder: 1.2, shoulderX: 0.2, elbow: 0.95, neck: 1.28 });

/**
 * @typedef {[y: number, width: number, depth: number, x?: number, z?: number, bend?: number]} Ring half widths; bend: how
 *   much of the knee's or elbow's turn it takes
 * @typedef {{ hair: Ring[], brim?: Ring[], extra?: Ring[][], hairTint?: number, girth: number, shoulders: number,
 *   skirt: boolean }} Build
 */

/** A skull's outline at some height over its middle. @param {number} y @param {number} grow metres more @param {number} [z] @returns {Ring} */
function skull(y, grow, z = 0) {
  const round = Math.sqrt(Math.max(0, 1 - (y / 0.19) ** 2));
  return [1.475 + y * (1 + grow * 4), (0.15 + grow) * round, (0.16 + grow) * round, 0, z];
}

/** @type {Build[]} */
const BUILDS = [
  {
    girth: 1, shoulders: 1, skirt: false,
    hair: [skull(-0.02, 0.012, -0.055), skull(0.05, 0.022, -0.03), skull(0.11, 0.026, -0.012), skull(0.16, 0.026, 0), skull(0.188, 0.03, 0)],
  },
  {
    girth: 0.9, shoulders: 0.9, skirt: true,
    hair: [
      [1.14, 0.1, 0.04, 0, -0.13], [1.25, 0.155, 0.075, 0, -0.115], [1.38, 0.17, 0.12, 0, -0.07],
      skull(0.0, 0.02, -0.05), skull(0.08, 0.026, -0.024), skull(0.14, 0.03, -0.006), skull(0.187, 0.034, 0),
    ],
  },
  {
    girth: 1.2, shoulders: 1.12, skirt: false, hairTint: Tint.TOP,
    hair: [skull(0.045, 0.012), skull(0.06, 0.024), skull(0.13, 0.022), skull(0.17, 0.026), skull(0.188, 0.03)],
    brim: [[1.552, 0.13, 0.112, 0, 0.126], [1.568, 0.125, 0.107, 0, 0.121]],
    extra: [
      // A beard about the chin, below the mouth; its back half is within the head.
      [[1.29, 0.05, 0.04, 0, 0.085], [1.32, 0.095, 0.075, 0, 0.078], [1.36, 0.118, 0.1, 0, 0.066], [1.385, 0.12, 0.1, 0, 0.056]],
      // What shows of the hair behind, below the cap.
      [skull(-0.1, 0, -0.035), skull(-0.03, 0.012, -0.04), skull(0.06, 0.012, -0.02)],
    ],
  },
  {
    girth: 0.88, shoulders: 0.92, skirt: false,
    hair: [skull(-0.03, 0.01, -0.06), skull(0.05, 0.02, -0.032), skull(0.12, 0.024, -0.012), skull(0.187, 0.028, 0)],
    extra: [[[1.62, 0.02, 0.02, 0, -0.09], [1.645, 0.075, 0.075, 0, -0.09], [1.7, 0.085, 0.085, 0, -0.09], [1.755, 0.06, 0.06, 0, -0.09], [1.775, 0.01, 0.01, 0, -0.09]]],
  },
];

/** @param {number} body an index of BODIES @returns {BufferGeometry} with `position`, `normal` and `rig` */
export function figure(body) {
  const { hair, brim, extra = [], hairTint = Tint.HAIR, girth, shoulders, skirt } = BUILDS[body];
  const mesh = new Mesher(9);
  torso(mesh, girth, shoulders, skirt);
  head(mesh);
  mesh.loft(hair, Bone.HEAD, hairTint);
  if (brim) mesh.loft(brim, Bone.HEAD, hairTint);
  for (const rings of extra) mesh.loft(rings, Bone.HEAD, Tint.HAIR);
  for (const side of [1, -1]) {
    leg(mesh, side, girth);
    arm(mesh, side, 0.2 * shoulders + 0.014, girth);
  }
  return mesh.build();
}

/** One that is seen from afar. @returns {BufferGeometry} */
export function farFigure() {
  const mesh = new Mesher(5);
  mesh.loft([[0.76, 0.15, 0.1], [1.2, 0.2, 0.11], [1.3, 0.06, 0.06]], Bone.TRUNK, Tint.TOP);
  mesh.loft([[1.28, 0.08, 0.08], [1.45, 0.16, 0.165], [1.56, 0.14, 0.15]], Bone.HEAD, Tint.SKIN);
  mesh.loft([[1.44, 0.16, 0.12, 0, -0.06], [1.58, 0.165, 0.165, 0, -0.01], [1.67, 0.08, 0.09]], Bone.HEAD, Tint.HAIR);
  for (const side of [1, -1]) {
    mesh.sides = 4;
    mesh.loft([[0, 0.075, 0.12, side * 0.1, 0.03, 1], [0.45, 0.085, 0.09, side * 0.1, 0, 0.5], [0.8, 0.1, 0.1, side * 0.095]],
      side > 0 ? Bone.LEG_L : Bone.LEG_R, Tint.LEGS);
    mesh.loft([[0.68, 0.045, 0.05, side * 0.24, 0.01, 1], [0.95, 0.055, 0.06, side * 0.23, 0, 0.5], [1.23, 0.07, 0.07, side * 0.21]],
      side > 0 ? Bone.ARM_L : Bone.ARM_R, Tint.TOP);
  }
  return mesh.build();
}

/** @param {Mesher} mesh @param {number} girth @param {number} shoulders @param {boolean} skirt */
function torso(mesh, girth, shoulders, skirt) {
  /** @type {Ring[]} */
  const hem = skirt
    ? [[0.5, 0.26, 0.22], [0.52, 0.265, 0.225], [0.68, 0.222, 0.182], [0.8, 0.188, 0.146], [0.86, 0.16, 0.12]]
    : [[0.79, 0.1, 0.08], [0.795, 0.178 * girth, 0.13 * girth], [0.85, 0.172 * girth, 0.126 * girth]];
  mesh.loft([
    [0.68, 0.05, 0.07], [0.7, 0.13 * girth, 0.1 * girth], [0.78, 0.172 * girth, 0.124 * girth], [0.84, 0.16 * girth, 0.115 * girth],
  ], Bone.TRUNK, Tint.LEGS);
  mesh.loft([
    ...hem, [0.96, 0.15 * girth, 0.108 * girth], [1.09, 0.175 * girth, 0.118 * girth], [1.19, 0.2 * shoulders, 0.11],
    [1.245, 0.17 * shoulders, 0.092], [1.285, 0.085, 0.07], [1.3, 0.06, 0.06],
  ], Bone.TRUNK, Tint.TOP);
  mesh.loft([[1.27, 0.055, 0.055], [1.35, 0.05, 0.05]], Bone.HEAD, Tint.SKIN);
}

/** @param {Mesher} mesh */
function head(mesh) {
  mesh.loft([
    skull(-0.187, 0), skull(-0.165, -0.012, 0.012), skull(-0.12, -0.004, 0.008), skull(-0.05, 0), skull(0.03, 0), skull(0.11, 0), skull(0.17, 0),
  ], Bone.HEAD, Tint.SKIN);
  for (const side of [1, -1]) {
    // Light around the dark: whatever the skin, a face is told from a back.
    mesh.dot(side * 0.06, 1.482, 0.145, 0.033, 0.036, Tint.WHITES);
    mesh.dot(side * 0.057, 1.48, 0.153, 0.018, 0.026);
    mesh.loft([[1.435, 0.01, 0.018, side * 0.15], [1.465, 0.022, 0.03, side * 0.152], [1.5, 0.008, 0.016, side * 0.15]], Bone.HEAD, Tint.SKIN);
  }
  // A mouth.
  mesh.dot(0, 1.4, 0.152, 0.034, 0.008);
  mesh.loft([[1.425, 0.018, 0.016, 0, 0.155], [1.44, 0.024, 0.026, 0, 0.16], [1.475, 0.008, 0.008, 0, 0.152]], Bone.HEAD, Tint.SKIN);
}

/** @param {Mesher} mesh @param {number} side 1: left @param {number} girth */
function leg(mesh, side, girth) {
  const bone = side > 0 ? Bone.LEG_L : Bone.LEG_R;
  const x = side * JOINT_AT.hipX;
  const wide = 0.5 + girth / 2;
  mesh.sides = 7;
  mesh.loft([
    [0.07, 0.062, 0.068, x, -0.005, 1], [0.09, 0.066, 0.07, x, -0.005, 1], [0.3, 0.072 * wide, 0.08 * wide, x, -0.008, 1], [0.41, 0.073 * wide, 0.08 * wide, x, 0, 0.85],
    [0.49, 0.078 * wide, 0.085 * wide, x, 0.004, 0.15], [0.66, 0.086 * wide, 0.098 * wide, x], [0.755, 0.084 * wide, 0.1 * wide, x], [0.8, 0.05, 0.07, x],
  ], bone, Tint.LEGS);
  mesh.loft([
    [0, 0.064, 0.125, x, 0.045, 1], [0.035, 0.07, 0.13, x, 0.045, 1], [0.075, 0.06, 0.09, x, 0.02, 1], [0.12, 0.055, 0.06, x, -0.005, 1],
  ], bone, Tint.SHOES);
  mesh.sides = 9;
}

/** @param {Mesher} mesh @param {number} side 1: left @param {number} from its shoulder @param {number} girth */
function arm(mesh, side, from, girth) {
  const bone = side > 0 ? Bone.ARM_L : Bone.ARM_R;
  const wide = 0.5 + girth / 2;
  const x = side * from;
  mesh.sides = 7;
  mesh.loft([
    [0.775, 0.05, 0.05, x, 0.008, 1], [0.8, 0.053 * wide, 0.053 * wide, x, 0.006, 1], [0.91, 0.053 * wide, 0.056 * wide, x, 0, 0.85], [0.99, 0.056 * wide, 0.06 * wide, x, 0, 0.15],
    [1.12, 0.058 * wide, 0.064 * wide, x], [1.2, 0.06 * wide, 0.066 * wide, x - side * 0.012], [1.24, 0.035, 0.045, x - side * 0.035], [1.255, 0.01, 0.015, x - side * 0.05],
  ], bone, Tint.TOP);
  mesh.loft([
    [0.655, 0.02, 0.024, x, 0.012, 1], [0.68, 0.04, 0.044, x, 0.012, 1], [0.73, 0.046, 0.05, x, 0.01, 1], [0.78, 0.036, 0.04, x, 0.006, 1],
  ], bone, Tint.SKIN);
  mesh.sides = 9;
}

/** Lofts rings into skins. */
class Mesher {
  #places = /** @type {number[]} */ ([]);
  #rigs = /** @type {number[]} */ ([]);
  #faces = /** @type {number[]} */ ([]);

  /** @param {number} sides of a ring */
  constructor(sides) {
    this.sides = sides;
  }

  /** @param {Ring[]} rings from below to above @param {number} bone @param {number} tint */
  loft(rings, bone, tint) {
    const first = this.#places.length / 3;
    const { sides } = this;
    for (const [y, width, depth, x = 0, z = 0, bend = 0] of rings) {
      for (let side = 0; side < sides; side++) {
        const turn = (side / sides) * 2 * Math.PI;
        this.#vertex(x + width * Math.sin(turn), y, z + depth * Math.cos(turn), bone, bend, tint);
      }
    }
    for (let ring = 0; ring + 1 < rings.length; ring++) {
      for (let side = 0; side < sides; side++) {
        const a = first + ring * sides + side;
        const b = first + ring * sides + ((side + 1) % sides);
        this.#faces.push(a, b, b + sides, a, b + sides, a + sides);
      }
    }
    this.#cap(rings[0], first, false, bone, tint);
    this.#cap(/** @type {Ring} */ (rings.at(-1)), first + (rings.length - 1) * sides, true, bone, tint);
  }

  /** An eye, a mouth. @param {number} x @param {number} y @param {number} z @param {number} width @param {number} height @param {number} [tint] */
  dot(x, y, z, width, height, tint = Tint.EYES) {
    const first = this.#places.length / 3;
    const corners = 6;
    for (let corner = 0; corner < corners; corner++) {
      const turn = (corner / corners) * 2 * Math.PI;
      // The face is round: what is further out is further back.
      const outX = x + width * Math.cos(turn);
      this.#vertex(outX, y + height * Math.sin(turn), z + 0.012 - Math.abs(outX) * 0.12, Bone.HEAD, 0, tint);
    }
    for (let corner = 1; corner + 1 < corners; corner++) this.#faces.push(first, first + corner, first + corner + 1);
  }

  /** @returns {BufferGeometry} */
  build() {
    const geometry = new BufferGeometry();
    geometry.setAttribute("position", new Float32BufferAttribute(this.#places, 3));
    geometry.setAttribute("rig", new Float32BufferAttribute(this.#rigs, 3));
    geometry.setIndex(this.#faces);
    geometry.computeVertexNormals();
    return geometry;
  }

  /** @param {Ring} ring @param {number} first its first vertex @param {boolean} above @param {number} bone @param {number} tint */
  #cap([y, , , x = 0, z = 0, bend = 0], first, above, bone, tint) {
    const middle = this.#places.length / 3;
    this.#vertex(x, y, z, bone, bend, tint);
    for (let side = 0; side < this.sides; side++) {
      const a = first + side;
      const b = first + ((side + 1) % this.sides);
      this.#faces.push(middle, ...(above ? [a, b] : [b, a]));
    }
  }

  /** @param {number} x @param {number} y @param {number} z @param {number} bone @param {number} bend @param {number} tint */
  #vertex(x, y, z, bone, bend, tint) {
    this.#places.push(x, y, z);
    this.#rigs.push(bone, bend, tint);
  }
}
