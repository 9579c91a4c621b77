/** Elements without markup: text stays text, whoever wrote it. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * @typedef {Node | string | number | null | undefined | false} One
 * @typedef {One | One[] | (One | One[])[]} Child arrays within arrays are as good as flat ones
 * @typedef {Record<string, any>} Props `class`, `on` ({ click: handler }), `data` ({ name: value }), properties such as
 *   `value` or `disabled`, attributes such as `aria-label` or `for`; null and undefined are left out
 */

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Props} [props]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined) continue;
    if (name === "class") element.className = value;
    else if (name === "on") for (const [kind, handler] of Object.entries(value)) element.addEventListener(kind, handler);
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name in element && !name.includes("-")) /** @type {any} */ (element)[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...(/** @type {(Node | string)[]} */ (children.flat(Infinity).filter(isThere).map(nodeOf))));
  return element;
}

/**
 * @param {Element} element
 * @param {...Child} children in the place of those it had
 */
export function fill(element, ...children) {
  element.replaceChildren(...(/** @type {(Node | string)[]} */ (children.flat(Infinity).filter(isThere).map(nodeOf))));
}

/**
 * A picture of 24 x 24 that says nothing by itself: name the button that it is on.
 *
 * @param {string} path the `d` of one SVG path
 * @returns {SVGSVGElement}
 */
export function icon(path) {
  return picture(path, { viewBox: "0 0 24 24", "aria-hidden": "true", class: "icon" });
}

/**
 * @param {string} path the `d` of one SVG path
 * @param {Record<string, string>} attributes
 * @returns {SVGSVGElement}
 */
export function picture(path, attributes) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [name, value] of Object.entries(attributes)) svg.setAttribute(name, value);
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

/** @param {any} child */
function isThere(child) {
  return child !== null && child !== undefined && child !== false;
}

/** @param {any} child @returns {Node | string} */
function nodeOf(child) {
  return child instanceof Node ? child : String(child);
}
