/** What this browser keeps of the map: a small picture of each region that was seen. The oldest go. */

const NAME = "worldloom-map";
const REGIONS = "regions";
const THUMBS = "thumbs";
const MOST = 4_000;
/** So many go at once, when there are too many. */
const GOING = 200;
const LOOK_EVERY = 50;

/** @typedef {{ rx: number, rz: number, thumb: Uint8Array }} Thumb `thumb`: RGBA of 32 x 32 points */

export class Keep {
  #world;
  #base;
  #put = 0;

  /** @param {string} world its id: another world has another map */
  constructor(world) {
    this.#world = world;
    this.#base = opened().catch(() => null);
  }

  /** @returns {Promise<Thumb[]>} of all that is kept of this world */
  async thumbs() {
    const base = await this.#base;
    if (!base) return [];
    const range = IDBKeyRange.bound([this.#world], [this.#world, []]);
    return answered(base.transaction(THUMBS).objectStore(THUMBS).getAll(range)).catch(() => []);
  }

  /** @param {number} rx @param {number} rz @returns {Promise<Blob | null>} */
  async picture(rx, rz) {
    const base = await this.#base;
    if (!base) return null;
    const asked = base.transaction(REGIONS).objectStore(REGIONS).get([this.#world, rx, rz]);
    return answered(asked).then((found) => found?.picture ?? null, () => null);
  }

  /** @param {Thumb} thumb @param {Blob} picture @returns {Promise<void>} */
  async put({ rx, rz, thumb }, picture) {
    const base = await this.#base;
    if (!base) return;
    try {
      const change = base.transaction([REGIONS, THUMBS], "readwrite");
      change.objectStore(REGIONS).put({ world: this.#world, rx, rz, at: Date.now(), picture });
      change.objectStore(THUMBS).put({ world: this.#world, rx, rz, thumb });
      if (this.#put++ % LOOK_EVERY === 0) await this.#prune(change);
    } catch {
      // A full or forbidden store: this map lasts as long as the page.
    }
  }

  /** @param {IDBTransaction} change */
  async #prune(change) {
    const regions = change.objectStore(REGIONS);
    if ((await answered(regions.count())) <= MOST) return;
    const oldest = await answered(regions.index("at").getAllKeys(null, GOING));
    for (const key of oldest) {
      regions.delete(key);
      change.objectStore(THUMBS).delete(key);
    }
  }
}

/** @returns {Promise<IDBDatabase>} */
function opened() {
  const asked = indexedDB.open(NAME, 1);
  asked.onupgradeneeded = () => {
    const keyPath = ["world", "rx", "rz"];
    asked.result.createObjectStore(REGIONS, { keyPath }).createIndex("at", "at");
    asked.result.createObjectStore(THUMBS, { keyPath });
  };
  return answered(asked);
}

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function answered(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
