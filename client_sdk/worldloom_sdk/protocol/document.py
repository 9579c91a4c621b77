"""The page on the wire protocol: ``python -m worldloom_sdk.protocol.document > docs/protocol.md`` writes it.

Owns how message classes become tables, and samples become hex. The chapters around them stand in ``document.md`` beside
this file, with ``{{names}}`` where something is put in. The docstrings in the source of ``messages`` are the page's
own texts.
"""

import ast
import functools
import inspect
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

import msgpack
import msgspec
import numpy as np
from msgspec import Struct
from msgspec import inspect as types

from worldloom_sdk.protocol import codes, estate, estate_parts, land, looks, messages, parts, people, words
from worldloom_sdk.protocol.codec import MAX_MESSAGE_BYTES
from worldloom_sdk.protocol.messages import CLIENT_MESSAGES, SERVER_MESSAGES, CloseCode, RefusalCode
from worldloom_sdk.protocol.results import RESULTS
from worldloom_sdk.protocol.samples import AREA_BODY, FRAME_BODY, SAMPLES

__all__ = ["page"]

_TEMPLATE = Path(__file__).with_name("document.md")
_BYTES_A_LINE = 16
_HEAD = re.compile(r"(client -> server|server -> client)(?:, ([^.]*))?\.\s+(.*)", re.DOTALL)
_PARTS: tuple[type[Struct], ...] = tuple(
    getattr(module, name) for module in (parts, estate_parts) for name in module.__all__
)
"""Structs that travel within messages only."""
_ACTS: dict[type[Struct], type[Enum]] = {
    messages.Order: messages.OrderAct,
    messages.Account: messages.AccountAct,
    messages.Money: messages.MoneyAct,
    messages.Estate: messages.EstateAct,
    messages.Market: messages.MarketAct,
}
"""What the acts of a command are; they are told below it."""

_AFTER_CLOSE = {
    CloseCode.NORMAL: "Nothing: the session has ended.",
    CloseCode.PROTOCOL: "Do not come back; the client is at fault, or too old. The reason says how.",
    CloseCode.NOT_BINARY: "Do not come back; the client is at fault.",
    CloseCode.BAD_PAYLOAD: "Do not come back; the client is at fault.",
    CloseCode.POLICY: "Do not come back by yourself. After a refused Hello: do as the refusal code says.",
    CloseCode.TOO_BIG: "Do not come back; the client is at fault.",
    CloseCode.INTERNAL: "Wait a few seconds; then Hello, with `resume` if there is one. The server's log says more.",
    CloseCode.RESTART: "Wait as long as Goodbye says and a random time more; then Hello, with `token` if there is one.",
    CloseCode.BUSY: "Wait as long as Goodbye says, or a few seconds; then Hello, with `resume` if there is one.",
    CloseCode.REPLACED: "Do not come back by yourself, or two of your clients throw each other out for ever.",
    CloseCode.REMOVED: "Do not come back by yourself; see [being sent out](#being-sent-out).",
}
_AFTER_REFUSAL = {
    RefusalCode.VERSION: ("Hello", "Get a client for the server's version."),
    RefusalCode.TOKEN: (
        "Hello",
        "Ask the person for a recovery or pairing code and send it as `code`, without `token`; or come as a guest. If "
        "it was a code that was refused: ask for another one.",
    ),
    RefusalCode.NAME_TAKEN: (
        "Hello",
        "Choose another name. If it is the one that you just had: try again by yourself; see [a session](#a-session).",
    ),
    RefusalCode.NAME_INVALID: ("Hello", "Choose another name; the text says what is wrong."),
    RefusalCode.FULL: ("Hello", "Try again after `retry_after_ms`."),
    RefusalCode.RATE: ("Hello, commands, Who, Move", "Ask less often; try again after `retry_after_ms`."),
    RefusalCode.STATE: ("any message", "The client is at fault; counts as wrong."),
    RefusalCode.INVALID: (
        "any message",
        "Do not repeat it. What cannot be read counts as wrong; an empty line or a 65th block does not.",
    ),
    RefusalCode.NOT_FOUND: (
        "Whisper, Signal, Block, Order, Account, Report, EditTerrain, Money, Estate, Market",
        "The avatar has left, or cannot be seen by you; or no account, token, report, land or offer is meant by that.",
    ),
    RefusalCode.UNAVAILABLE: ("Hello, commands", "Try again after `retry_after_ms`."),
    RefusalCode.ACCESS: (
        "Hello",
        "Ask the person for an invitation or the password, and send it as `access`. Who has an account comes in with "
        "`token` or `code`. The text says which of these is asked for.",
    ),
    RefusalCode.BANNED: (
        "Hello",
        "Do not come back before `retry_after_ms`; 0: never. Show the text to the person.",
    ),
    RefusalCode.MUTED: (
        "Say, Whisper, Signal",
        "Do not try before `retry_after_ms`; 0: without end. Show the text to the person.",
    ),
    RefusalCode.FORBIDDEN: (
        "commands, Move",
        "Do not offer what `role` and `scopes` of Welcome do not allow.",
    ),
    RefusalCode.FUNDS: ("commands that pay", "Show what it takes and what is there. Nothing was paid."),
    RefusalCode.SOLD: (
        "commands that buy or claim",
        "Look again: nothing was paid, and others may be to be had.",
    ),
    RefusalCode.CHANGED: ("commands that buy", "Show the offer as it is now, and ask the person again."),
    RefusalCode.KEY_REUSED: (
        "commands with a key",
        "The client is at fault: a key is for one request, which may be sent again only as it was.",
    ),
    RefusalCode.NOT_FOR_SALE: (
        "commands that buy",
        "Look again: the offer has ended, or is for somebody else.",
    ),
    RefusalCode.LEASED: ("commands about estates", "Wait until the lease ends."),
    RefusalCode.LOCKED: ("commands that sell", "The text says from when on it may be sold."),
}


def page() -> str:
    """The whole page, in Markdown.

    Raises:
        KeyError: A message has no example, a code no advice, or the template names something unknown.
    """
    filled = {
        "version": str(messages.PROTOCOL_VERSION),
        "path": messages.SUBPROTOCOL_PATH,
        "max_message": f"{MAX_MESSAGE_BYTES:,}",
        "overview": _overview(),
        "client_messages": "\n".join(_section(tag, cls) for tag, cls in CLIENT_MESSAGES.items()),
        "server_messages": "\n".join(_section(tag, cls) for tag, cls in SERVER_MESSAGES.items()),
        "parts": "\n".join(f"### {cls.__name__}\n\n{_text(cls)}\n\n{_fields(cls)}" for cls in _PARTS),
        "area_body": _listing(_explained_body(AREA_BODY)),
        "frame_body": _listing(_explained_body(FRAME_BODY)),
        "look_bytes": _look_bytes(),
        "look_of_one": ", ".join(map(str, looks.default_look(1))),
        "roles": _enumeration(messages.Role),
        "scopes": _enumeration(messages.Scope),
        "block_reaches": _enumeration(messages.BlockReach),
        "say_kinds": _enumeration(messages.SayKind),
        "correction_reasons": _enumeration(messages.CorrectionReason),
        "verbs": _enumeration(estate.Verb),
        "notice_kinds": _enumeration(messages.NoticeKind),
        "region_states": _enumeration(messages.RegionState),
        "gestures": ", ".join(f"{gesture.value} {gesture.name.lower()}" for gesture in words.Gesture),
        "close_codes": _close_codes(),
        "refusal_codes": _refusal_codes(),
    }
    template = _TEMPLATE.read_text(encoding="utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda match: filled[match[1]].rstrip("\n"), template)


# ---- docstrings


@functools.cache
def _attribute_docs() -> dict[tuple[str, str], str]:
    """Texts below attributes in the sources of the messages, by class and attribute."""
    docs = {}
    sources = "\n".join(
        inspect.getsource(module) for module in (codes, parts, land, people, estate_parts, estate, messages)
    )
    for node in ast.parse(sources).body:
        if not isinstance(node, ast.ClassDef):
            continue
        for attribute, text in zip(node.body, node.body[1:], strict=False):
            target = attribute.targets[0] if isinstance(attribute, ast.Assign) else attribute
            name = target.target if isinstance(target, ast.AnnAssign) else target
            if isinstance(name, ast.Name) and isinstance(text, ast.Expr):
                docs[node.name, name.id] = _markdown(str(ast.literal_eval(text.value)))
    return docs


def _doc(cls: type, name: str) -> str:
    return _attribute_docs().get((cls.__name__, name), "")


def _text(cls: type) -> str:
    """A class's docstring."""
    return _markdown(inspect.getdoc(cls) or "")


def _markdown(text: str) -> str:
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs).replace("``", "`")


def _split(cls: type[Struct]) -> tuple[str, str, str]:
    """Direction, when it may come, and the rest of a message's docstring.

    Raises:
        ValueError: The docstring does not begin with a direction.
    """
    found = _HEAD.fullmatch(_text(cls))
    if found is None:
        raise ValueError(f"expected a direction at the beginning of {cls.__name__}'s docstring, got none")
    return found[1].replace("->", "→"), found[2] or "", found[3]


def _sentence(text: str) -> str:
    """The first of a text."""
    return text.partition("\n")[0].partition(". ")[0].rstrip(".") + "."


# ---- tables


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def _link(cls: type) -> str:
    return f"[{cls.__name__}](#{cls.__name__.lower()})"


def _overview() -> str:
    rows = []
    for tag, cls in (*CLIENT_MESSAGES.items(), *SERVER_MESSAGES.items()):
        direction, when, rest = _split(cls)
        rows.append((str(tag), _link(cls), direction, when, _sentence(rest)))
    return _table(("tag", "message", "direction", "when", "what"), rows)


def _section(tag: int, cls: type[Struct]) -> str:
    direction, when, rest = _split(cls)
    shape = [str(tag)]
    shape += [
        name if field.required else f"{name}?" for name, field in zip(_names(cls), _infos(cls), strict=True)
    ]
    listings = "\n".join(_listing(_explained(one)) for one in SAMPLES[cls])
    table = f"{_fields(cls)}\n" if _infos(cls) else ""
    head = f"*{direction}{f', {when}' if when else ''}.* `[{', '.join(shape)}]`"
    return f"### {cls.__name__}\n\n{head}\n\n{rest}\n\n{table}{listings}{_results(cls)}"


def _results(cls: type[Struct]) -> str:
    """What Done carries, by act; empty for a message that is no such command."""
    if cls in _ACTS:
        acts = _ACTS[cls]
        rows = [
            (f"`{act.value}`", _doc(acts, act.name), _result(RESULTS.get((cls, act.value)))) for act in acts
        ]
        return f"\n#### {acts.__name__}\n\n{_table(('value', 'meaning', 'Done carries'), rows)}"
    return f"\n`result` of Done: {_result(RESULTS[cls, ''])}.\n" if (cls, "") in RESULTS else ""


def _result(kind: Any) -> str:
    return "nil" if kind is None else _in_words(types.type_info(kind))


def _infos(cls: type[Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(cls)


def _names(cls: type[Struct]) -> tuple[str, ...]:
    return cls.__struct_fields__


def _fields(cls: type[Struct]) -> str:
    rows = []
    for field in _infos(cls):
        kind = _in_words(types.type_info(field.type))
        default = "" if field.required else _shown(_default(field))
        rows.append((f"`{field.name}`", kind, default, _doc(cls, field.name)))
    return _table(("field", "type", "if left out", "meaning"), rows)


def _default(field: msgspec.structs.FieldInfo) -> Any:
    factory = field.default_factory
    return field.default if factory is msgspec.NODEFAULT else factory()


_SIMPLE = {types.AnyType: "as the command says", types.BoolType: "boolean", types.NoneType: "nil"}


def _in_words(info: types.Type) -> str:
    """A type and its bounds."""
    if type(info) in _SIMPLE:
        return _SIMPLE[type(info)]
    match info:
        case types.Metadata(type=inner):
            return _in_words(inner)
        case types.IntType(ge=low, le=high):
            return "integer" if low is None else f"integer, {low} to {high}"
        case types.StrType(min_length=low, max_length=high):
            return f"text{_sized(low, high, 'characters')}"
        case types.BytesType(min_length=low, max_length=high):
            return f"binary{_sized(low, high, 'bytes')}"
        case types.ListType(item_type=item, min_length=low, max_length=high):
            return f"array{_sized(low, high, 'entries')}, each: {_in_words(item)}"
        case types.EnumType(cls=cls) | types.StructType(cls=cls):
            return _link(cls)
        case types.UnionType(types=options):
            return " or ".join(_in_words(option) for option in sorted(options, key=_is_array))
    raise TypeError(f"expected a type of the wire, got {info}")


def _is_array(info: types.Type) -> bool:
    """Arrays are told last: what follows "each" is of their entries."""
    return isinstance(info, types.ListType)


def _sized(low: int | None, high: int | None, unit: str) -> str:
    if high is None:
        return ""
    span = f"{high}" if low == high else f"{low} to {high}" if low else f"at most {high}"
    return f", {span} {unit}"


def _enumeration(cls: type[Enum]) -> str:
    if issubclass(cls, str):
        return _table(("value", "meaning"), [(f"`{one.value}`", _doc(cls, one.name)) for one in cls])
    rows = [(str(member.value), member.name, _doc(cls, member.name)) for member in cls]
    return _table(("number", "name", "meaning"), rows)


def _look_bytes() -> str:
    of = {"skin": looks.SKINS, "hair": looks.HAIRS, "top": looks.CLOTHES, "legs": looks.CLOTHES}
    rows = [
        (str(i), name, f"0 to {size - 1}" + "".join(f", `{one}`" for one in of.get(name, ())))
        for i, (name, size) in enumerate(zip(looks.Look._fields, looks.LOOK_SIZES, strict=True))
    ]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _close_codes() -> str:
    rows = [
        (str(code.value), code.name, _doc(CloseCode, code.name), _AFTER_CLOSE[code]) for code in CloseCode
    ]
    return _table(("code", "name", "why", "what to do"), rows)


def _refusal_codes() -> str:
    rows = [
        (f"`{code.value}`", _AFTER_REFUSAL[code][0], _doc(RefusalCode, code.name), _AFTER_REFUSAL[code][1])
        for code in RefusalCode
    ]
    return _table(("code", "answers", "why", "what to do"), rows)


# ---- hex


_Pieces = Iterator[tuple[bytes, str]]
"""Bytes one after another, and what they are."""


def _listing(pieces: Iterable[tuple[bytes, str]]) -> str:
    """Bytes as hex, a piece a line; long pieces go on below."""
    lines = []
    for data, text in pieces:
        for at in range(0, len(data), _BYTES_A_LINE):
            part = data[at : at + _BYTES_A_LINE].hex(" ")
            lines.append(f"{part:<{3 * _BYTES_A_LINE}}  {text if not at else ''}".rstrip())
    return "```text\n" + "\n".join(lines) + "\n```\n"


def _explained(message: Struct) -> _Pieces:
    """A message's bytes, as ``encode`` writes them, field by field."""
    cls, tag = type(message), message.__struct_config__.tag
    yield msgpack.Packer().pack_array_header(1 + len(_names(cls))), f"array of {1 + len(_names(cls))}"
    yield msgpack.packb(tag), f"tag {tag}: {cls.__name__}"
    for name in _names(cls):
        yield from _explained_value(name, getattr(message, name))


def _explained_value(name: str, value: Any) -> _Pieces:
    match value:
        case Struct():
            names = _names(type(value))
            yield msgpack.Packer().pack_array_header(len(names)), f"{name}: array of {len(names)}"
            for inner in names:
                yield from _explained_value(f"{name}.{inner}", getattr(value, inner))
        case list():
            yield msgpack.Packer().pack_array_header(len(value)), f"{name}: array of {len(value)}"
            for index, item in enumerate(value):
                yield from _explained_value(f"{name}[{index}]", item)
        case _:
            yield (
                msgpack.packb(msgspec.to_builtins(value, builtin_types=(bytes,))),
                f"{name}: {_shown(value)}",
            )


def _shown(value: Any) -> str:
    """A value as the page writes it."""
    match value:
        case None:
            return "nil"
        case bytes():
            return f"{len(value)} bytes"
        case Enum():
            return (
                f"{json.dumps(value.value)} ({value.name})" if isinstance(value, int) else json.dumps(value)
            )
    return json.dumps(value, ensure_ascii=False)


def _explained_body(body: bytes) -> _Pieces:
    """A frame body, word by word, as seen from cell (0, 0)."""
    for block in words.blocks(body):
        count = len(block.entries)
        header = words.block_header(block.kind, block.dx, block.dz, block.layer, count)
        where = f"cell ({block.dx:+}, {block.dz:+}), layer {block.layer}"
        yield header.to_bytes(8, "little"), f"{block.kind.name.lower()}, {where}, {count} entries"
        for entry in block.entries.reshape(-1, block.entries.ndim).tolist():
            yield from _explained_entry(block, entry)


def _explained_entry(block: words.Block, entry: list[int]) -> _Pieces:
    if block.kind is words.BlockKind.LEAVE:
        yield entry[0].to_bytes(8, "little"), f"  slot {entry[0] & 0xFFF}, direction {entry[0] >> 12}"
        return
    if len(entry) == 2:
        yield entry[0].to_bytes(8, "little"), f"  slot {entry[0] & 0xFFF}: avatar {entry[0] >> 12}"
    columns = words.unpack_words(np.array(entry[-1:], np.uint64), block.dx, block.dz)
    slot, x, z, y, yaw, gesture = (int(column[0]) for column in columns)
    yield (
        entry[-1].to_bytes(8, "little"),
        f"  word: slot {slot}, x {x}, z {z}, y {y}, yaw {yaw}, gesture {gesture}",
    )


if __name__ == "__main__":
    sys.stdout.buffer.write(page().encode())
