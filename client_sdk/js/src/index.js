export { World } from "./world.js";
export { Avatar, Mirror, poseAt } from "./mirror.js";
export { Emitter } from "./emitter.js";
export {
  ClosedError, LostError, NotSentError, RefusedError, SentOutError, WalkError, WireError,
} from "./errors.js";
export { newKey } from "./dealer.js";
export { defaultLook } from "./looks.js";
export { CLOTHES, HAIRS, LOOK_SIZES, SKINS, Verb } from "./protocol.generated.js";
export { BlockReach, Role, Scope } from "./roles.js";
export { CorrectionReason, Gesture, RegionState, SayKind } from "./units.js";
export { GIVEN_BACK, overlaid, readOverlay } from "./overlay.js";
export { Surface, ThingKind, Tile, groundHeight, readTile } from "./tiles.js";
