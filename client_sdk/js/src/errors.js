/** Bytes or values that are no message of this protocol. */
export class WireError extends Error {
  name = "WireError";
}

/** The server refused. `code` is stable; `message` and `hint` are for people. */
export class RefusedError extends Error {
  name = "RefusedError";

  /** @param {{ code: string, text: string, hint?: string, retry_after_ms?: number }} refused */
  constructor({ code, text, hint = "", retry_after_ms = 0 }) {
    super(hint ? `${code}: ${text} (${hint})` : `${code}: ${text}`);
    this.code = code;
    this.text = text;
    this.hint = hint;
    /** When to try again; 0: not in the same way. */
    this.retryAfterMs = retry_after_ms;
  }
}

/** The connection ended before the answer: nobody knows whether it was carried out. */
export class LostError extends Error {
  name = "LostError";
}

/** There is no connection, or too much waits already; nothing was sent. */
export class NotSentError extends Error {
  name = "NotSentError";
}

/** The connection ended for good. */
export class ClosedError extends Error {
  name = "ClosedError";

  /**
   * @param {number} code the WebSocket's close code
   * @param {string} reason for people
   */
  constructor(code, reason) {
    super(`closed with ${code}${reason ? `: ${reason}` : ""}`);
    this.code = code;
    this.reason = reason;
  }
}

/** Sent out by who keeps order here, or the token was revoked. Show it to a person, and let them decide. */
export class SentOutError extends ClosedError {
  name = "SentOutError";

  /**
   * @param {number} code the WebSocket's close code
   * @param {string} reason of the closing
   * @param {{ code: string, text: string, retry_after_ms: number }} goodbye
   */
  constructor(code, reason, { code: why, text, retry_after_ms }) {
    super(code, reason || text);
    this.message = text ? `${why || "sent out"}: ${text}` : why || "sent out";
    /** "kicked", "banned" or "revoked"; empty if the server did not say. */
    this.why = why;
    this.text = text;
    /** When a person may come back. 0: after a kick in a minute, after a ban never. */
    this.retryAfterMs = retry_after_ms;
  }
}

/** A walk ended elsewhere than it should. */
export class WalkError extends Error {
  name = "WalkError";

  /**
   * @param {string} message
   * @param {number} [reason] a CorrectionReason; 0 where the server has not refused
   */
  constructor(message, reason = 0) {
    super(message);
    this.reason = reason;
  }
}
