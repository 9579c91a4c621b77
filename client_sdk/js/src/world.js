/** The world as a program sees it: connect, look, walk, talk. */
import { Account } from "./account.js";
import { addresses } from "./address.js";
import { Commands } from "./commands.js";
import { Connection } from "./connection.js";
import { Dealer } from "./dealer.js";
import { Emitter } from "./emitter.js";
import { ClosedError, RefusedError, SentOutError } from "./errors.js";
import { Land } from "./land.js";
import { Mirror } from "./mirror.js";
import { readLook, writeLook } from "./looks.js";
import { readEdit, writeEdit } from "./overlay.js";
import { Names } from "./names.js";
import { Pilot } from "./pilot.js";
import { Pulse } from "./pulse.js";
import { BlockReach } from "./roles.js";
import { Staff } from "./staff.js";
import { Standing } from "./standing.js";
import { REGION_M } from "./tiles.js";
import { HORIZONTAL, RegionState, SayKind, TICK_MS, VERTICAL, yawToRadians } from "./units.js";

/** With this much unsent a Move would come too late to be of use. */
const MOST_UNSENT_FOR_MOVES = 16 * 1024;

/**
 * @typedef {import("./messages.js").Message} Message
 * @typedef {import("./mirror.js").Avatar} Avatar
 * @typedef {import("./tiles.js").Tile} Tile
 * @typedef {import("./names.js").Person} Person
 * @typedef {import("./looks.js").Look} Look
 * @typedef {{ name?: string, token?: string | null, keep?: boolean, resume?: string | null, access?: string,
 *   code?: string, bot?: boolean, at?: { x: number, z: number } | null, client?: string, WebSocket?: any,
 *   fetch?: typeof fetch }} Options
 *   `name`: of a guest, or with `keep` of a new account. `token`: of an account. `resume`: of an earlier connection.
 *   `access`: an invitation or the world's password, where it asks for one. `code`: a recovery or pairing code, without
 *   `token`. `bot`: this is no person. `at`: where to be set down the first time, in metres; elsewhere if it may not be
 *   there. `WebSocket`: where the platform has none
 * @typedef {{ id: number, name: string, x: number, y: number, z: number, yaw: number, gesture: number }} Me
 */

/**
 * Events, each with one object:
 * `entered`, `left`, `moved` {avatar}; `spoke` {avatar, name, kind, text, mine}; `whispered` {avatar, name, text};
 * `signalled` {avatar, channel, data}; `region` {rx, rz, state, sha256, source, overlay};
 * `edited` {rx, rz, version, x, z, width, depth, heights}: the ground is another; `corrected` {reason, x, y, z};
 * `look` {avatar, look}: what somebody looks like has become known, or is another; the avatar's id, yours too;
 * `refused` {code, text, hint, retry_after_ms}: what was no command; `whole` {}: all in view is known;
 * `standing` {role, muted_ms, reason, hidden}: what you are here has changed;
 * `lost` {code, reason, waitMs, attempt}; `resumed` {same}: back in the world, in the same session or a new one;
 * `notice` {number, kind, at_ms, read, listing, estate, lease, amount, fee, back, account, name, until_ms,
 * periods_left, title, text}: something happened to your money or land; once each, and marked as read a second later;
 * `sentOut` {code, text, retry_after_ms}: it does not come back by itself, `closed` follows;
 * `closed` {code, reason, error}: for good.
 */
export class World extends Emitter {
  mirror = new Mirror();
  /** What the last Welcome said. @type {Message | null} */
  welcome = null;
  /** Told once, when an account was made or recovered: show it to the person, to be written down. */
  recovery = "";
  land;
  /** For moderators and owners. */
  staff;
  /** Codes, tokens and bots of your own account. */
  account;
  /** Money, land and the market. */
  trade;
  #standing = new Standing();
  #connection;
  #commands;
  #names;
  #pilot;
  #entering = /** @type {{ resolve: (me: Me) => void, reject: (error: Error) => void } | null} */ (null);
  #pulse;
  #expiry = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);

  /**
   * Listen with `on` before you call `connect`: the first events come with the answer.
   *
   * @param {string} url of the server: `ws://host:8420/ws`, or `http://host:8420`
   * @param {Options} [options]
   */
  constructor(url, options = {}) {
    super();
    const { socketUrl, httpUrl } = addresses(url);
    const Socket = options.WebSocket ?? globalThis.WebSocket;
    if (!Socket) throw new TypeError("no WebSocket here: give one as an option, or use Node 22");
    this.land = new Land(httpUrl, options.fetch ?? ((...args) => globalThis.fetch(...args)));
    this.#connection = new Connection({
      url: socketUrl, client: options.client ?? "worldloom-js/0.1", name: options.name ?? "",
      token: options.token ?? null, resume: options.resume ?? null, keep: options.keep ?? false,
      access: options.access ?? "", code: options.code ?? "", bot: options.bot ?? false, at: options.at ?? null,
      WebSocket: Socket,
    }, {
      welcome: (welcome) => this.#welcomed(welcome),
      message: (message) => this.#message(message),
      lost: (lost) => {
        this.#quiet();
        this.emit("lost", lost);
      },
      closed: (error) => this.#closed(error),
    });
    this.#commands = new Commands((message) => this.#connection.send(message));
    this.staff = new Staff((message) => this.#commands.run(message));
    this.account = new Account((message) => this.#commands.run(message));
    this.trade = new Dealer((message) => this.#commands.run(message), () => this.#back());
    this.#pilot = new Pilot(
      (state) => this.#standing.mayMove && this.#connection.send({ type: "Move", state }, MOST_UNSENT_FOR_MOVES),
      (x, z) => this.#groundHere(x, z),
    );
    this.#pulse = new Pulse((client_ms) => this.#connection.send({ type: "Ping", client_ms }));
    this.#names = new Names((ids) => this.#connection.send({ type: "Who", ids }));
  }

  /**
   * Come into the world. Rejects if the first try fails; later it comes back by itself.
   *
   * @returns {Promise<Me>}
   */
  connect() {
    return new Promise((resolve, reject) => {
      if (this.#connection.state !== "new") throw new Error("connect only once; it comes back by itself");
      this.#entering = { resolve, reject };
      this.#connection.open();
    });
  }

  /** Whether commands can be sent just now. */
  get connected() { return this.#connection.state === "in"; }
  /** Whether it ended for good. */
  get closed() { return this.#connection.state === "closed"; }
  /** The account's secret; null for a guest. */
  get token() { return this.#connection.token; }
  /** For another program start, within `welcome.limits.resume_ms`; a secret, too. */
  get resume() { return this.#connection.resume; }

  /** A Role: what you may do to others. */
  get role() { return this.#standing.role; }
  /** Of a bot's key: what it may be used for; null: everything. */
  get scopes() { return this.#standing.scopes; }
  /** Whether you are invisible to all but staff. */
  get hidden() { return this.#standing.hidden; }
  /** Milliseconds for which you cannot speak. 0: you can; Infinity: without end. */
  get mutedMs() { return this.#standing.mutedMs(performance.now()); }
  /** Why you cannot. */
  get mutedFor() { return this.mutedMs > 0 ? this.#standing.reason : ""; }

  /** Everybody in view but yourself. @returns {Avatar[]} */
  get avatars() { return [...this.mirror.avatars.values()].filter(({ id }) => id !== this.welcome?.you); }

  /** Your own body: metres and radians. @returns {Me} */
  get me() {
    const { x, y, z, yaw, gesture } = this.#pilot.walker;
    return {
      id: this.welcome?.you ?? 0, name: this.welcome?.name ?? "", x: x / HORIZONTAL, y: y / VERTICAL,
      z: z / HORIZONTAL, yaw: yawToRadians(yaw), gesture,
    };
  }

  /** World time in milliseconds. */
  get serverMs() { return this.#pulse.serverMs; }
  /** World time in ticks, with a fraction. */
  get tick() { return this.serverMs / TICK_MS; }
  /** Of the quickest Ping lately; Infinity before the first. */
  get roundTripMs() { return this.#pulse.roundTripMs; }

  /** To those within 20 m. @param {string} text @returns {Promise<void>} */
  say(text) { return this.#commands.run({ type: "Say", kind: SayKind.SAY, text }); }
  /** To those within 100 m. @param {string} text @returns {Promise<void>} */
  shout(text) { return this.#commands.run({ type: "Say", kind: SayKind.SHOUT, text }); }
  /** To the whole region. @param {string} text @returns {Promise<void>} */
  region(text) { return this.#commands.run({ type: "Say", kind: SayKind.REGION, text }); }
  /** To one, wherever. @param {number} to @param {string} text @returns {Promise<void>} */
  whisper(to, text) { return this.#commands.run({ type: "Whisper", to, text }); }

  /**
   * To another client program.
   *
   * @param {number} to an avatar id; 0: all others within 100 m
   * @param {string} channel
   * @param {Uint8Array} data at most 1024 bytes
   * @returns {Promise<void>}
   */
  signal(to, channel, data) { return this.#commands.run({ type: "Signal", to, channel, data }); }

  /**
   * From now on the two of you are nothing to each other: it works both ways, and the other is not told. Between
   * accounts it lasts until `unblock`: keep the ids, nothing tells of them. A new one replaces the reach.
   *
   * @param {number} avatar
   * @param {{ reach?: number }} [options] a BlockReach: all, or speech alone
   * @returns {Promise<void>}
   */
  async block(avatar, { reach = BlockReach.ALL } = {}) {
    await this.#commands.run({ type: "Block", avatar, on: true, reach });
    if (reach === BlockReach.ALL) this.#names.forgetOne(avatar);
  }

  /** However far it reached. @param {number} avatar @returns {Promise<void>} */
  unblock(avatar) { return this.#commands.run({ type: "Block", avatar, on: false }); }

  /**
   * Tell staff of somebody in view, or heard of in the last 30 s. The server adds what you were sent lately.
   *
   * @param {number} avatar
   * @param {string} text what the person wrote
   * @returns {Promise<number>} the report's number
   */
  report(avatar, text) { return this.#commands.run({ type: "Report", avatar, text }); }

  /** @param {number} id @returns {Promise<string | null>} null: not in the world, or not to be seen */
  async nameOf(id) { return (await this.#names.ask(id))?.name ?? null; }
  /** Name, kind ("bot", or a Role) and whose bot. @param {number} id @returns {Promise<Person | null>} */
  whoIs(id) { return this.#names.ask(id); }
  /**
   * Who somebody is, if it was asked for already; the look is kept up to date while the body is in view.
   *
   * @param {number} id
   * @returns {Person | undefined}
   */
  knownPerson(id) { return this.#names.known(id); }
  /** @param {number} id @returns {string | undefined} if it is known already */
  knownName(id) { return id === this.welcome?.you ? this.welcome.name : this.#names.known(id)?.name; }

  /**
   * People in the world with that part of a name, wherever; 20 at most. Not who hides, or does not want to be found.
   *
   * @param {string} name
   * @returns {Promise<import("./results.js").Found[]>}
   */
  find(name) { return this.#commands.run({ type: "Find", name }); }

  /** Whom you block; guests as long as they are here. @returns {Promise<import("./results.js").Blocked[]>} */
  blocked() { return this.#commands.run({ type: "Account", act: "blocked" }); }

  /** Whether others find you. @param {boolean} on @returns {Promise<void>} */
  async findable(on) {
    await this.#commands.run({ type: "Account", act: "findable", on });
    if (this.welcome) this.welcome.findable = on;
  }

  /**
   * Look so from now on. An account's look is kept.
   *
   * @param {Look | null} look null: as follows from your avatar id
   * @returns {Promise<void>}
   */
  async look(look) { await this.#commands.run({ type: "Account", act: "look", look: writeLook(look) }); }

  /**
   * Put the body where your game has it; call it as often as you like. No faster than the server allows: `me` says
   * how far it came. What is left out stays as it is; without `y` the body is on the ground.
   *
   * @param {{ x?: number, z?: number, y?: number | null, yaw?: number, gesture?: number }} to metres and radians
   */
  move({ x = this.me.x, z = this.me.z, y = null, yaw, gesture }) {
    if (!this.#standing.mayMove) throw stuck();
    this.#pilot.move({ x, z, y, yaw, gesture });
  }

  /**
   * Walk there in a straight line.
   *
   * @param {number} x metres
   * @param {number} z
   * @param {{ speed?: number, y?: number | null }} [options] speed in m/s, at most what the server allows
   * @returns {Promise<void>} rejects with WalkError when it ends elsewhere
   */
  async walkTo(x, z, { speed, y = null } = {}) {
    if (!this.#standing.mayMove) throw stuck();
    await this.#pilot.walk({ x, z, y }, speed);
  }

  /** Stand still here. */
  stop() { this.#pilot.stop(); }

  /** The land of a region; see `land`. @param {number} rx @param {number} rz @returns {Promise<Tile | null>} */
  tile(rx, rz) { return this.land.tile(rx, rz); }

  /**
   * Change the ground at samples 2 m apart, for owners. `ground` has the new heights then, where the land is here.
   *
   * @param {number} x metres, a multiple of 2
   * @param {number} z
   * @param {(number | null)[][]} rows along x, at most 32 of 32; metres, or null: as the tile has it
   * @returns {Promise<void>}
   */
  async editTerrain(x, z, rows) {
    await this.land.told(await this.#commands.run({ type: "EditTerrain", ...writeEdit(x, z, rows) }));
  }

  /** Height of the ground, if the tile is here. @param {number} x @param {number} z @returns {number | undefined} */
  ground(x, z) {
    return this.land.known(Math.floor(x / REGION_M), Math.floor(z / REGION_M))?.ground(x, z);
  }

  /** Height of the ground; fetches the tile. @param {number} x @param {number} z @returns {Promise<number | null>} */
  async groundAt(x, z) {
    const tile = await this.land.tile(Math.floor(x / REGION_M), Math.floor(z / REGION_M));
    return tile ? tile.ground(x, z) : null;
  }

  /** Leave for good. @returns {Promise<void>} */
  leave() {
    if (this.closed) return Promise.resolve();
    return new Promise((resolve) => {
      const off = this.on("closed", () => { off(); resolve(); });
      this.#connection.leave();
    });
  }

  /** @param {Message} welcome */
  #welcomed(welcome) {
    const first = this.welcome === null;
    if (!welcome.resumed) {
      this.#names.forget();
      this.land.startAnew();
    }
    // While the old id still tells our own old body from the others.
    this.#changed(this.mirror.welcome(welcome.resumed));
    this.welcome = welcome;
    this.recovery = welcome.recovery || this.recovery;
    this.#standing.welcome(welcome);
    this.#pilot.start(welcome);
    this.#names.learn(welcome.you, {
      name: welcome.name, kind: welcome.role, of: "", look: readLook(welcome.look, welcome.you),
    });
    if (welcome.resumed) this.#names.doubt([...this.mirror.avatars.keys()]);
    // Before the first Ping: it tells the server that this resume token has arrived.
    if (!first) this.emit("resumed", { same: welcome.resumed });
    this.#entering?.resolve(this.me);
    this.#entering = null;
    this.#pulse.start(welcome.server_ms);
    this.#names.connected();
  }

  /** @param {Message} message */
  #message(message) {
    const now = performance.now();
    switch (message.type) {
      case "Frame": {
        this.#changed(this.mirror.applyFrame(/** @type {any} */ (message), now));
        for (const line of message.lines) this.emit("spoke", { ...line, mine: line.avatar === this.welcome?.you });
        break;
      }
      case "Area": this.#changed(this.mirror.applyArea(/** @type {any} */ (message), now)); break;
      case "AreaComplete":
        this.#changed(this.mirror.applyAreaComplete());
        this.emit("whole", {});
        break;
      case "Correction":
        this.#pilot.correct(message);
        this.emit("corrected", { reason: message.reason, x: this.me.x, y: this.me.y, z: this.me.z });
        break;
      case "Done": this.#commands.done(message.id, message.result); break;
      case "Refused":
        if (this.#commands.refused(/** @type {any} */ (message))) break;
        // Without an id it may answer a Who, or speak of Moves: nothing says which.
        if (message.code === "rate") this.#names.refused(message.retry_after_ms);
        this.emit("refused", event(message));
        break;
      case "Pong": this.#pulse.pong(message); break;
      case "People": for (const news of this.#names.answered(message.people)) this.emit("look", news); break;
      case "Looks": this.#looks(message.looks); break;
      case "Whispered": this.emit("whispered", event(message)); break;
      case "Signalled": this.emit("signalled", event(message)); break;
      case "Standing":
        this.#standing.tell(message, now);
        this.emit("standing", event(message));
        break;
      case "Notice":
        if (this.trade.heard(message.notice)) this.emit("notice", event(message.notice));
        break;
      case "Region":
        this.land.tell(/** @type {any} */ (event(message)));
        if (message.state === RegionState.WOVEN) this.#pilot.walker.woven();
        this.emit("region", event(message));
        break;
      case "TerrainEdited": {
        const edit = readEdit(message);
        this.land.edited(edit);
        this.emit("edited", edit);
        break;
      }
      default:
    }
  }

  /** @param {{ avatar: number, look: Uint8Array }[]} looks */
  #looks(looks) {
    for (const { avatar, look: bytes } of looks) {
      const look = readLook(bytes, avatar);
      this.#names.dress(avatar, look);
      this.emit("look", { avatar, look });
    }
  }

  /** @param {import("./mirror.js").Change[]} changes */
  #changed(changes) {
    const you = this.welcome?.you;
    for (const change of changes) {
      if (change.type === "entered") this.#names.doubt([change.avatar.id]);
      if (change.avatar.id !== you) this.emit(change.type, change);
      else this.#pilot.told(change.avatar.pose.y);
    }
    clearTimeout(this.#expiry);
    const next = this.mirror.nextExpiry;
    if (next === Infinity) return;
    const expire = () => this.#changed(this.mirror.expire(performance.now()));
    this.#expiry = setTimeout(expire, Math.max(1, next - performance.now()));
  }

  /** Over land that is not here yet, your own height is a guess: fetch it. @param {number} x @param {number} z */
  #groundHere(x, z) {
    const known = this.ground(x, z);
    if (known === undefined) this.groundAt(x, z).then((found) => found !== null && this.#pilot.settle(), () => {});
    return known;
  }

  /** Waits for a connection. @returns {Promise<void>} rejects when there will be none */
  #back() {
    if (this.connected) return Promise.resolve();
    if (this.closed) return Promise.reject(new ClosedError(1006, "closed for good"));
    return new Promise((resolve, reject) => {
      const off = this.on("resumed", () => { off(); gone(); resolve(); });
      const gone = this.on("closed", ({ error }) => { off(); gone(); reject(error); });
    });
  }

  /** No connection: nothing is sent, and no answer will come. */
  #quiet() {
    this.#pulse.stop();
    clearTimeout(this.#expiry);
    this.#commands.lost();
    this.#pilot.pause();
  }

  /** @param {Error} error */
  #closed(error) {
    this.#quiet();
    this.trade.close();
    this.#names.close(error);
    this.#pilot.close(error);
    this.#entering?.reject(error);
    this.#entering = null;
    if (error instanceof SentOutError) {
      this.emit("sentOut", { code: error.why, text: error.text, retry_after_ms: error.retryAfterMs });
    }
    const { code = 0, reason = error.message } = error instanceof ClosedError ? error : {};
    this.emit("closed", { code, reason, error });
  }
}

/** @param {Message} message @returns {Record<string, any>} */
function event({ type: _, ...fields }) {
  return fields;
}

/** As the server would say, but there it would count as a mistake. */
function stuck() {
  return new RefusedError({ code: "forbidden", text: `the key has no scope "move"` });
}
