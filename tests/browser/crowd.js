// A made-up crowd, written into the mirror as the server would: frames of bytes. Evaluated in the page by tests and by
// `people_bench.py`. `makeCrowd({ count, every, spread })` returns { stop }; its people walk round circles.
globalThis.makeCrowd = ({ count, every = 2, spread = 60, gesture = 1, first = 1_000_000, place = null }) => {
  const { world } = globalThis.app;
  const SLOT = 4095;
  const { x: x0, z: z0 } = world.me;
  const ground = (x, z) => app.tiles?.ground(x, z) ?? world.ground(x, z) ?? world.me.y;
  const people = Array.from({ length: count }, (_, n) => {
    const far = spread * Math.sqrt((n + 0.5) / count);
    const angle = n * 2.399963;
    return { n, x: x0 + far * Math.sin(angle), z: z0 + far * Math.cos(angle), turn: n * 1.7, cell: null, slot: SLOT - n };
  });
  const walk = (person, tick) => {
    if (place) return place(person, tick);
    const angle = person.turn + tick * 0.02;
    // 1.4 m/s round a circle of 3.5 m.
    return { x: person.x + 3.5 * Math.sin(angle), z: person.z + 3.5 * Math.cos(angle), yaw: angle + Math.PI / 2, gesture };
  };
  const written = [];
  const block = (kind, cell, entries) => {
    const { area } = world.mirror;
    const size = kind === 2 ? 16 : 8;
    const bytes = new DataView(new ArrayBuffer(8 + entries.length * size));
    bytes.setUint8(0, kind);
    bytes.setInt8(1, cell.cx - area.cx);
    bytes.setInt8(2, cell.cz - area.cz);
    bytes.setUint16(5, entries.length, true);
    entries.forEach((entry, i) => {
      let at = 8 + i * size;
      if (kind === 2) {
        const id = first + entry.person.n;
        bytes.setUint32(at, (entry.person.slot | ((id & 0xfffff) << 12)) >>> 0, true);
        bytes.setUint32(at + 4, id >>> 20, true);
        at += 8;
      }
      const x = Math.round(entry.x * 64) - (cell.cx * 2048 - 1024);
      const z = Math.round(entry.z * 64) - (cell.cz * 2048 - 1024);
      const y = Math.round(Math.max(entry.y ?? ground(entry.x, entry.z), 0) * 16) + 4096;
      const yaw = Math.round((entry.yaw / (2 * Math.PI)) * 256) & 255;
      bytes.setUint32(at, (entry.person.slot | (x << 12) | ((z & 255) << 24)) >>> 0, true);
      bytes.setUint32(at + 4, ((z >> 8) | (y << 4) | (yaw << 18) | (entry.gesture << 26)) >>> 0, true);
    });
    written.push(new Uint8Array(bytes.buffer));
  };
  const frame = () => {
    const { mirror } = world;
    if (!mirror.area) return;
    const tick = Math.floor(world.tick);
    const cells = new Map();
    for (const person of people) {
      const word = { ...walk(person, tick), person };
      // They keep the cell in which they began: words reach out of it.
      const kind = person.cell ? 3 : 2;
      person.cell ??= { cx: Math.floor(word.x / 32), cz: Math.floor(word.z / 32) };
      const key = `${kind},${person.cell.cx},${person.cell.cz}`;
      if (!cells.has(key)) cells.set(key, { kind, cell: person.cell, entries: [] });
      cells.get(key).entries.push(word);
    }
    for (const { kind, cell, entries } of cells.values()) block(kind, cell, entries);
    const body = new Uint8Array(written.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const bytes of written.splice(0)) { body.set(bytes, at); at += bytes.length; }
    for (const { type, avatar } of mirror.applyFrame({ tick, body }, performance.now())) world.emit(type, { avatar });
  };
  frame();
  const timer = setInterval(frame, every * 50);
  return { stop: () => clearInterval(timer), people };
};
