/** The nearest of many. Pure, and makes no garbage. */

/**
 * @param {Float32Array} distance by slot; Infinity: nobody
 * @param {number} size slots in use
 * @param {Int32Array} found takes slots, nearest first, as many as there is room for; slot 0 is left out
 * @returns {number} how many were found
 */
export function nearest(distance, size, found) {
  let count = 0;
  for (let slot = 1; slot < size; slot++) {
    const metres = distance[slot];
    if (metres === Infinity || (count === found.length && metres >= distance[found[count - 1]])) continue;
    let at = count < found.length ? count++ : count - 1;
    for (; at > 0 && distance[found[at - 1]] > metres; at--) found[at] = found[at - 1];
    found[at] = slot;
  }
  return count;
}
