"""A client's bytes to complete messages, without I/O. Knows no transport, no session, no limits per time.

Frames, control frames, masks and closing are those of ``websockets``' Sans-I/O ``ServerProtocol``; this adds
the walk from frame to frame (so that a shortcut may be taken between two of them), the joining of fragments, and
two rules of RFC 6455 that ``websockets`` does not enforce: lengths take the shortest form, and their topmost bit
is zero.
"""

from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol

from worldloom.gateway.handshake import quiet_logger

__all__ = ["LOST", "MessageStream"]

LOST = 1006
"""The code of a connection that ended without a closing handshake; never sent."""
_MAX_HEAD_BYTES = 10
_MASK_BYTES = 4
_MAX_REASON_BYTES = 120


class MessageStream:
    """What one client sends after the handshake, and the answers that the protocol itself gives.

    Args:
        max_message: Largest message in bytes; a larger one fails the stream with 1009.
    """

    __slots__ = ("_fragments", "_head", "_owed", "_protocol", "messages")

    def __init__(self, max_message: int) -> None:
        self.messages: list[bytes] = []
        """Complete binary messages, in order; whoever feeds takes them out."""
        self._protocol = ServerProtocol(state=State.OPEN, max_size=max_message, logger=quiet_logger)
        self._fragments: bytearray | None = None
        self._head = b""
        """The head of the frame in progress, while its length is not known."""
        self._owed = 0
        """Bytes that the frame in progress still lacks."""

    @property
    def max_message(self) -> int:
        """Largest message in bytes."""
        return self._protocol.max_message_size or 0

    @max_message.setter
    def max_message(self, size: int) -> None:
        self._protocol.max_message_size = size

    @property
    def is_open(self) -> bool:
        """Whether neither side has begun to close."""
        return self._protocol.state is State.OPEN

    @property
    def between_frames(self) -> bool:
        """Whether the next byte begins a frame."""
        return not self._owed and not self._head

    @property
    def between_messages(self) -> bool:
        """Whether the next byte begins a frame that belongs to no message begun before."""
        return not self._owed and not self._head and self._fragments is None

    @property
    def close_code(self) -> int:
        """Why it closed: the code sent, which echoes the client's if that came first; else LOST."""
        sent = self._protocol.close_sent
        return int(sent.code) if sent is not None else LOST

    def feed(self, data: bytes, at: int) -> int:
        """Take what belongs to the frame in progress, or the next one; then see ``messages`` and ``output``.

        Returns:
            How many bytes from ``at`` on were taken: at least one.
        """
        size = self._part(data, at)
        if self._protocol.state is not State.CLOSED:
            self._protocol.receive_data(data[at : at + size])
            for event in self._protocol.events_received():
                assert isinstance(event, Frame)
                self._on_frame(event)
        return size

    def end(self) -> None:
        """The client will send no more."""
        self._protocol.receive_eof()

    def output(self) -> list[bytes]:
        """What is to be written; an empty entry is the end of the stream."""
        return self._protocol.data_to_send()

    def ping(self) -> None:
        """Ask whether anybody is there."""
        self._protocol.send_ping(b"")

    def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake; nothing happens when it has begun already."""
        if self.is_open:
            self._protocol.send_close(code, reason.encode()[:_MAX_REASON_BYTES].decode(errors="ignore"))

    def _part(self, data: bytes, at: int) -> int:
        if not self._owed:
            known = len(self._head)
            head = self._head + data[at : at + _MAX_HEAD_BYTES - known]
            size = self._frame_size(head)
            if size is None:
                self._head = head
                return len(head) - known
            self._head, self._owed = b"", size - known
        part = min(self._owed, len(data) - at)
        self._owed -= part
        return part

    def _frame_size(self, head: bytes) -> int | None:
        """Bytes of a frame as its head says; None while more of the head is needed."""
        if len(head) < 2:
            return None
        length = head[1] & 0x7F
        form = {126: 2, 127: 8}.get(length, 0)
        if len(head) < 2 + form:
            return None
        if form:
            length = int.from_bytes(head[2 : 2 + form], "big")
            if length < (126 if form == 2 else 65536) or length >> 63:
                self._protocol.fail(1002, "length not in its shortest form")
        return 2 + form + _MASK_BYTES + length

    def _on_frame(self, frame: Frame) -> None:
        if frame.opcode is Opcode.TEXT:
            self._protocol.fail(1003, "expected a binary message, got text")
        elif frame.opcode is Opcode.BINARY and frame.fin:
            self._complete(bytes(frame.data))
        elif frame.opcode is Opcode.BINARY:
            self._fragments = bytearray(frame.data)
        elif frame.opcode is Opcode.CONT and self._fragments is not None:
            self._fragments += frame.data
            if frame.fin:
                message, self._fragments = bytes(self._fragments), None
                self._complete(message)

    def _complete(self, message: bytes) -> None:
        if self.is_open:  # after our own closing frame nothing is heard any more
            self.messages.append(message)
