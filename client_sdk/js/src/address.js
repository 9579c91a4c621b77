/**
 * The two addresses of a server, from either.
 *
 * @param {string} url `ws://host:8420/ws`, `http://host:8420`, or with wss and https
 * @returns {{ socketUrl: string, httpUrl: string }} httpUrl has no slash at its end
 */
export function addresses(url) {
  const { protocol, host, pathname } = new URL(url);
  if (!/^(ws|http)s?:$/.test(protocol)) throw new TypeError(`expected a ws or http address, got ${url}`);
  const s = protocol === "wss:" || protocol === "https:" ? "s" : "";
  const base = host + pathname.replace(/\/(ws\/?)?$/, "");
  return { socketUrl: `ws${s}://${base}/ws`, httpUrl: `http${s}://${base}` };
}
