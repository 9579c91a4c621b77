/** What somebody is here. Pure. */
export { BlockReach, Role, Scope } from "./protocol.generated.js";

/** Of Standing's `muted_ms`: without end. */
export const FOR_EVER_MS = Number.MAX_SAFE_INTEGER;
