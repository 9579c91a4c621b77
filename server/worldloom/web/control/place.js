/** Links to a place: `/@x,z` opens there, and the address bar says where one is. */

import { lead } from "../ui/walk.js";

const LINK = /^\/@(-?\d+(?:\.\d+)?),(-?\d+(?:\.\d+)?)$/;
/** To a place that far one walks; the server sets down who comes from further away. */
const WALKED_M = 300;
const THERE_M = 12;
const WRITE_MS = 3_000;
/** What is nobody else's business. */
const SECRETS = ["access"];

/** @param {string} path of an address @returns {{ x: number, z: number } | null} metres */
export function placeOf(path) {
  const [, x, z] = LINK.exec(decodeURIComponent(path)) ?? [];
  return x === undefined ? null : { x: Number(x), z: Number(z) };
}

/** @returns {boolean} whether the page itself wrote this address: nobody came by it as by a link */
export function isOwn() {
  return history.state?.own === true;
}

export class Place {
  #app;
  #written = location.pathname;

  /** @param {import("../app/app.js").App} app */
  constructor(app) {
    this.#app = app;
    const place = placeOf(location.pathname);
    if (place && !isOwn()) this.#goTo(place);
    setInterval(() => this.#write(), WRITE_MS);
  }

  /** @returns {string} an address that opens here */
  link() {
    return `${location.origin}${this.#path()}`;
  }

  #path() {
    const { x, z } = this.#app.body.pose;
    return `/@${Math.round(x)},${Math.round(z)}`;
  }

  #write() {
    const path = this.#path();
    if (path === this.#written || document.hidden) return;
    this.#written = path;
    const asked = new URLSearchParams(location.search);
    for (const name of SECRETS) asked.delete(name);
    history.replaceState({ own: true }, "", `${path}${asked.size ? `?${asked}` : ""}${location.hash}`);
  }

  /** @param {{ x: number, z: number }} place */
  #goTo({ x, z }) {
    const { body, toasts } = this.#app;
    const far = Math.hypot(x - body.pose.x, z - body.pose.z);
    if (far < THERE_M) return;
    if (far < WALKED_M) {
      void lead(this.#app, { to: "the place of this link", x, z });
    } else {
      toasts.tell(`The place of this link is ${Math.round(far / 100) / 10} km from here.`);
    }
  }
}
