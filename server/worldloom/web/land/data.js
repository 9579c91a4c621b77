/** Who owns what around: plans of regions and offers, asked for when somebody looks, once a second at most. */
import { Role } from "worldloom";
import { Emitter } from "worldloom/emitter.js";
import { REGION_M } from "worldloom/tiles.js";
import { parcelsOf } from "./parcels.js";

/** Regions of a plan, each way. */
const SIDE = 3;
const ASK_MS = 1_000;
/** What was told is asked for again after so long, while somebody looks. */
const FRESH_MS = 90_000;
const OFFERS_M = 4_096;
const MOST_PLANS = 400;

/**
 * @typedef {Record<string, any>} Estate fields of EstateInfo; `runs` as far as they were told
 * @typedef {Record<string, any>} Offer fields of Offer
 * @typedef {Record<string, any>} LeaseOffer
 * @typedef {"" | "sale" | "auction" | "let" | "leased"} Mark
 * @typedef {{ rx: number, rz: number, at: number, estates: Estate[], zones: { rx: number, rz: number, price: number }[] }} Plan
 */

/** @type {WeakMap<import("../app/app.js").App, LandData>} */
const known = new WeakMap();

/** @param {import("../app/app.js").App} app @returns {LandData} the one of this page */
export function landOf(app) {
  let data = known.get(app);
  if (!data) known.set(app, (data = new LandData(app)));
  return data;
}

/** Events: `changed` {}; `stale` {own}: what others show may be another by now. */
export class LandData extends Emitter {
  /** By number. @type {Map<number, Estate>} */
  estates = new Map();
  /** For sale and auctioned, by estate. @type {Map<number, Offer>} */
  offers = new Map();
  /** To let, by estate. @type {Map<number, LeaseOffer>} */
  lets = new Map();
  /** Your account; 0: a guest's. */
  account = 0;
  /** Counts up with each change. */
  version = 0;
  #app;
  #plans = /** @type {Map<string, Plan>} */ (new Map());
  #wanted = /** @type {Map<string, [number, number]>} */ (new Map());
  #parcels = /** @type {Map<string, number>} */ (new Map());
  #zones = /** @type {Map<string, number>} */ (new Map());
  #offersAt = -Infinity;
  #offersOf = { x: NaN, z: NaN };
  #wantsOffers = false;
  #busy = false;

  /** @param {import("../app/app.js").App} app */
  constructor(app) {
    super();
    this.#app = app;
    app.world.on("notice", () => this.stale(false));
    app.world.on("resumed", () => this.stale(false));
    if (app.world.role !== Role.GUEST) {
      app.world.trade.estate("holdings").then(({ account }) => {
        this.account = account;
        this.#news();
      }, () => {});
    }
    setInterval(() => void this.#ask(), ASK_MS);
  }

  /** Somebody looks at this region. @param {number} rx @param {number} rz */
  want(rx, rz) {
    const [bx, bz] = [Math.floor(rx / SIDE), Math.floor(rz / SIDE)];
    const plan = this.#plans.get(`${bx},${bz}`);
    if (!plan || performance.now() - plan.at > FRESH_MS) this.#wanted.set(`${bx},${bz}`, [bx, bz]);
  }

  /** Somebody looks at what is for sale near a place. @param {number} x metres @param {number} z */
  wantOffers(x, z) {
    const { x: beforeX, z: beforeZ } = this.#offersOf;
    const moved = !(Math.hypot(x - beforeX, z - beforeZ) < OFFERS_M / 2);
    if (!moved && performance.now() - this.#offersAt < FRESH_MS) return;
    this.#offersOf = { x, z };
    this.#wantsOffers = true;
  }

  /** All that is known may be another by now. @param {boolean} [own] by what you did yourself */
  stale(own = true) {
    for (const plan of this.#plans.values()) plan.at = -Infinity;
    this.#offersAt = -Infinity;
    // Whoever looked at offers sees these at once, and need not look again.
    this.#wantsOffers = Number.isFinite(this.#offersOf.x);
    this.emit("stale", { own });
  }

  /** @param {number} px @param {number} pz @returns {Estate | undefined} */
  owned(px, pz) {
    return this.estates.get(this.#parcels.get(`${px},${pz}`) ?? 0);
  }

  /** @param {number} rx @param {number} rz @returns {boolean} whether it is known who owns what there */
  isKnown(rx, rz) {
    return this.#plans.has(`${Math.floor(rx / SIDE)},${Math.floor(rz / SIDE)}`);
  }

  /** @param {number} rx @param {number} rz @returns {number | undefined} of a parcel that can be claimed, minor units */
  price(rx, rz) {
    return this.#zones.get(`${rx},${rz}`);
  }

  /** @returns {Iterable<{ rx: number, rz: number, price: number }>} regions that are open for claiming */
  * zones() {
    for (const { zones } of this.#plans.values()) yield* zones;
  }

  /** @param {Estate} estate @returns {boolean} */
  isMine({ owner }) {
    return this.account !== 0 && owner === this.account;
  }

  /** @param {Estate} estate @returns {Mark} */
  mark({ estate, lease }) {
    const offer = this.offers.get(estate);
    if (offer) return offer.kind;
    if (lease && lease.until_ms > Date.now()) return "leased";
    return this.lets.has(estate) ? "let" : "";
  }

  /** One request at most. */
  async #ask() {
    if (this.#busy || document.hidden || !this.#app.world.connected) return;
    const next = [...this.#wanted].pop();
    if (!next && !this.#wantsOffers) return;
    this.#busy = true;
    try {
      if (next) await this.#askPlan(...next);
      else await this.#askOffers();
    } catch {
      // Whoever still looks, asks again.
    } finally {
      this.#busy = false;
    }
  }

  /** @param {string} key @param {[number, number]} block */
  async #askPlan(key, [bx, bz]) {
    this.#wanted.delete(key);
    const region = [bx * SIDE + 1, bz * SIDE + 1];
    const { estates, zones } = await this.#app.world.trade.estate("plan", { region });
    this.#plans.delete(key);
    this.#plans.set(key, { rx: bx, rz: bz, at: performance.now(), estates, zones });
    if (this.#plans.size > MOST_PLANS) this.#plans.delete(/** @type {string} */ (this.#plans.keys().next().value));
    this.#gather();
  }

  async #askOffers() {
    this.#wantsOffers = false;
    this.#offersAt = performance.now();
    const { x, z } = this.#offersOf;
    const near = { near: [Math.round(x), Math.round(z), OFFERS_M] };
    const { trade } = this.#app.world;
    const [selling, letting] = await Promise.all([trade.market("page", near), trade.market("to_let", near)]);
    this.offers = new Map(selling.offers.map((/** @type {Offer} */ offer) => [offer.estate, offer]));
    this.lets = new Map(letting.offers.map((/** @type {LeaseOffer} */ offer) => [offer.estate, offer]));
    this.#news();
  }

  /** Estates reach over the borders of plans. */
  #gather() {
    this.estates = new Map();
    this.#parcels.clear();
    this.#zones.clear();
    for (const { estates, zones } of this.#plans.values()) {
      for (const estate of estates) {
        const before = this.estates.get(estate.estate)?.runs ?? [];
        this.estates.set(estate.estate, { ...estate, runs: [...before, ...estate.runs] });
        for (const { px, pz } of parcelsOf(estate.runs)) this.#parcels.set(`${px},${pz}`, estate.estate);
      }
      for (const { rx, rz, price } of zones) this.#zones.set(`${rx},${rz}`, price);
    }
    this.#news();
  }

  #news() {
    this.version++;
    this.emit("changed", {});
  }
}

/** @param {number} x metres @param {number} z @returns {[number, number]} */
export function regionAt(x, z) {
  return [Math.floor(x / REGION_M), Math.floor(z / REGION_M)];
}
