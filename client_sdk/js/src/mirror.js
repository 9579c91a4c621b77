/**
 * The mirror: who is in view, and where. Pure: bytes and times go in, changes come out.
 *
 * Follows "Keeping a mirror" of the protocol page; its rule numbers stand in the comments.
 */
import { BlockKind, BodyReader } from "./body.js";
import { GUEST_BIT, HORIZONTAL, VERTICAL, yawToRadians } from "./units.js";

/** How long a body is kept that is on its way into another cell in view. */
export const CROSSING_MS = 250;

/**
 * @typedef {{ tick: number, x: number, z: number, y: number, yaw: number }} Pose in units of the wire
 * @typedef {{ cx: number, cz: number, layer: number, slots: Map<number, Avatar> }} Cell
 * @typedef {{ type: "entered" | "moved" | "left", avatar: Avatar }} Change
 */

/** One body in view. Lengths in metres, angles in radians. */
export class Avatar {
  /**
   * @param {number} id
   * @param {Pose} pose
   */
  constructor(id, pose) {
    this.id = id;
    this.gesture = 0;
    /** As last told, in units of the wire. Copy it to keep it: the object is written anew. */
    this.pose = pose;
    /** The pose before that: draw between the two. */
    this.before = { ...pose };
    /** Made once: a crowd moves in every tick. @type {Change} */
    this.moved = { type: "moved", avatar: this };
    /** @type {Cell | null} null while it is in no cell: on its way, or waiting to be told again */
    this.cell = null;
    this.slot = 0;
    /** When it goes if it is not told again. Infinity: at AreaComplete. */
    this.keepUntil = 0;
  }

  /** East. */
  get x() { return this.pose.x / HORIZONTAL; }
  /** Up; the sea is at 0. */
  get y() { return this.pose.y / VERTICAL; }
  /** South. */
  get z() { return this.pose.z / HORIZONTAL; }
  /** 0 looks to +Z, counter-clockwise from above. */
  get yaw() { return yawToRadians(this.pose.yaw); }
  get isGuest() { return this.id >= GUEST_BIT; }
}

export class Mirror {
  /** Everybody in view, yourself included, by avatar id. @type {Map<number, Avatar>} */
  avatars = new Map();
  /** Whether the picture is whole: from AreaComplete until the next Area. */
  whole = false;
  /** The last Area. @type {{ cx: number, cz: number, radius: number, layers: number[] } | null} */
  area = null;
  #cells = /** @type {Map<string, Cell>} */ (new Map());
  /** Those in no cell. */
  #kept = /** @type {Set<Avatar>} */ (new Set());
  #changes = /** @type {Change[]} */ ([]);

  /**
   * Rule 1. After a resume the old picture stays to be shown until the new one is whole.
   *
   * @param {boolean} resumed
   * @returns {Change[]}
   */
  welcome(resumed) {
    this.area = null;
    this.whole = false;
    this.#cells.clear();
    for (const avatar of [...this.avatars.values()]) {
      if (resumed) this.#keep(avatar, Infinity);
      else this.#drop(avatar);
    }
    return this.#take();
  }

  /**
   * @param {{ tick: number, cx: number, cz: number, radius: number, layers: number[], body: Uint8Array }} message
   * @param {number} now milliseconds of a clock that never goes back
   * @returns {Change[]}
   */
  applyArea({ tick, cx, cz, radius, layers, body }, now) {
    this.area = { cx, cz, radius, layers };
    this.whole = false;
    for (const [key, cell] of this.#cells) {
      if (this.#inView(cell.cx, cell.cz, cell.layer)) continue;
      this.#cells.delete(key);
      for (const avatar of cell.slots.values()) this.#drop(avatar);
    }
    this.#apply(body, tick, now);
    return this.#take();
  }

  /**
   * @param {{ tick: number, body: Uint8Array }} message
   * @param {number} now
   * @returns {Change[]}
   */
  applyFrame({ tick, body }, now) {
    if (this.area) this.#apply(body, tick, now);
    this.#expire(now);
    return this.#take();
  }

  /** Rule 7. @returns {Change[]} */
  applyAreaComplete() {
    this.whole = true;
    for (const avatar of [...this.#kept]) if (avatar.keepUntil === Infinity) this.#drop(avatar);
    return this.#take();
  }

  /**
   * Call it when `nextExpiry` has come: a quiet world sends no frame to do it by.
   *
   * @param {number} now
   * @returns {Change[]}
   */
  expire(now) {
    this.#expire(now);
    return this.#take();
  }

  /** @returns {number} when somebody is to be dropped next; Infinity: nobody is */
  get nextExpiry() {
    let next = Infinity;
    for (const avatar of this.#kept) next = Math.min(next, avatar.keepUntil);
    return next;
  }

  /** @param {Uint8Array} body @param {number} tick @param {number} now */
  #apply(body, tick, now) {
    const area = /** @type {NonNullable<typeof this.area>} */ (this.area);
    for (const block = new BodyReader(body, area.cx, area.cz); block.next();) {
      // The server speaks of cells in view only. To ignore others bounds what is kept.
      if (!this.#inView(block.cx, block.cz, block.layer)) continue;
      const cell = this.#cell(block.cx, block.cz, block.layer);
      if (block.kind === BlockKind.LEAVE) {
        while (block.nextEntry()) this.#leave(cell, block.slot, block.direction, now);
      } else if (block.kind === BlockKind.WORDS) {
        while (block.nextEntry()) {
          const avatar = cell.slots.get(block.slot);
          if (avatar) this.#told(avatar, block, tick);
        }
      } else {
        if (block.kind === BlockKind.SNAPSHOT) this.#displaceOthers(cell, block);
        while (block.nextEntry()) this.#enter(cell, block, tick);
      }
    }
  }

  /** Whoever is in a cell, and not in its snapshot. @param {Cell} cell @param {BodyReader} block */
  #displaceOthers(cell, block) {
    const there = new Set();
    while (block.nextEntry()) there.add(block.avatar);
    block.rewind();
    for (const avatar of [...cell.slots.values()]) if (!there.has(avatar.id)) this.#displace(avatar);
  }

  /** Rule 4. @param {Cell} cell @param {BodyReader} entry @param {number} tick */
  #enter(cell, entry, tick) {
    let avatar = this.avatars.get(entry.avatar);
    const isNew = !avatar;
    if (!avatar) {
      avatar = new Avatar(entry.avatar, { tick, x: entry.x, z: entry.z, y: entry.y, yaw: entry.yaw });
      avatar.gesture = entry.gesture;
      this.avatars.set(avatar.id, avatar);
    }
    this.#unplace(avatar);
    this.#kept.delete(avatar);
    const other = cell.slots.get(entry.slot);
    if (other) this.#displace(other);
    cell.slots.set(entry.slot, avatar);
    avatar.cell = cell;
    avatar.slot = entry.slot;
    if (isNew) this.#changes.push({ type: "entered", avatar });
    else this.#told(avatar, entry, tick);
  }

  /** Rule 5. @param {Cell} cell @param {number} slot @param {number} direction @param {number} now */
  #leave(cell, slot, direction, now) {
    const avatar = cell.slots.get(slot);
    if (!avatar) return;
    const dx = Math.floor((direction - 1) / 3) - 1;
    const dz = ((direction - 1) % 3) - 1;
    const comesAgain = direction === 5
      ? this.area?.layers.some((layer) => layer !== cell.layer)
      : direction >= 1 && direction <= 9 && this.#inView(cell.cx + dx, cell.cz + dz, cell.layer);
    if (comesAgain) this.#keep(avatar, now + CROSSING_MS);
    else this.#drop(avatar);
  }

  /** @param {Avatar} avatar @param {BodyReader} word @param {number} tick */
  #told(avatar, word, tick) {
    const { pose, before } = avatar;
    if (pose.x === word.x && pose.z === word.z && pose.y === word.y && pose.yaw === word.yaw
      && avatar.gesture === word.gesture) return;
    before.tick = tick;
    before.x = word.x;
    before.z = word.z;
    before.y = word.y;
    before.yaw = word.yaw;
    avatar.before = pose;
    avatar.pose = before;
    avatar.gesture = word.gesture;
    this.#changes.push(avatar.moved);
  }

  /** Whoever lost a slot without a leave: a cell whose snapshot is still to come may have it. @param {Avatar} avatar */
  #displace(avatar) {
    if (this.whole) this.#drop(avatar);
    else this.#keep(avatar, Infinity);
  }

  /** @param {Avatar} avatar @param {number} until */
  #keep(avatar, until) {
    this.#unplace(avatar);
    avatar.keepUntil = until;
    this.#kept.add(avatar);
  }

  /** @param {Avatar} avatar */
  #drop(avatar) {
    this.#unplace(avatar);
    this.#kept.delete(avatar);
    this.avatars.delete(avatar.id);
    this.#changes.push({ type: "left", avatar });
  }

  /** @param {Avatar} avatar */
  #unplace(avatar) {
    if (avatar.cell?.slots.get(avatar.slot) === avatar) avatar.cell.slots.delete(avatar.slot);
    avatar.cell = null;
  }

  /** @param {number} now */
  #expire(now) {
    for (const avatar of [...this.#kept]) if (avatar.keepUntil <= now) this.#drop(avatar);
  }

  /** @param {number} cx @param {number} cz @param {number} layer @returns {boolean} */
  #inView(cx, cz, layer) {
    const area = this.area;
    return area !== null && Math.abs(cx - area.cx) <= area.radius && Math.abs(cz - area.cz) <= area.radius
      && area.layers.includes(layer);
  }

  /** @param {number} cx @param {number} cz @param {number} layer @returns {Cell} */
  #cell(cx, cz, layer) {
    const key = `${cx},${cz},${layer}`;
    let cell = this.#cells.get(key);
    if (!cell) this.#cells.set(key, (cell = { cx, cz, layer, slots: new Map() }));
    return cell;
  }

  /** @returns {Change[]} */
  #take() {
    const changes = this.#changes;
    this.#changes = [];
    return changes;
  }
}

/**
 * Where to draw a body: between the last two poses told.
 *
 * @param {Avatar} avatar
 * @param {number} tick may have a fraction; a little in the past, for example the server's tick less 3
 * @returns {{ x: number, y: number, z: number, yaw: number }} metres and radians
 */
export function poseAt(avatar, tick) {
  const { before, pose } = avatar;
  // After a rest the pose before is old; the way to the new one took few ticks, not the whole rest.
  const start = Math.max(before.tick, pose.tick - 16);
  const part = pose.tick > start ? Math.min(Math.max((tick - start) / (pose.tick - start), 0), 1) : 1;
  const turn = ((pose.yaw - before.yaw + 384) & 255) - 128;
  return {
    x: (before.x + part * (pose.x - before.x)) / HORIZONTAL,
    y: (before.y + part * (pose.y - before.y)) / VERTICAL,
    z: (before.z + part * (pose.z - before.z)) / HORIZONTAL,
    yaw: yawToRadians(before.yaw + part * turn),
  };
}
