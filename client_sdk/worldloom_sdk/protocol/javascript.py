"""The protocol for JavaScript: ``python -m worldloom_sdk.protocol.javascript`` writes ``protocol.generated.js``.

Owns how message classes become schemas of the JavaScript client's ``codec.js``. Knows nothing of what they mean.
"""

import inspect
import json
import sys
from collections.abc import Iterable, Iterator
from enum import Enum, IntEnum, StrEnum
from typing import Any

import msgspec
from msgspec import Struct
from msgspec import inspect as types

from worldloom_sdk.protocol import codes, estate, looks, words
from worldloom_sdk.protocol.messages import CLIENT_MESSAGES, SERVER_MESSAGES
from worldloom_sdk.protocol.results import RESULTS

__all__ = ["module"]

_WIDTH = 120
_ENUMERATIONS: tuple[type[Enum], ...] = (
    *(getattr(codes, name) for name in codes.__all__),
    estate.MoneyAct, estate.EstateAct, estate.MarketAct, estate.NoticeKind, estate.Verb, words.Gesture,
)  # fmt: skip
_HEAD = """\
/**
 * Enumerations, messages, and what their Done carries: as the protocol page has them. Pure.
 *
 * Made by: python -m worldloom_sdk.protocol.javascript > client_sdk/js/src/protocol.generated.js
 */
import { anything, array, binary, boolean, int, oneOf, orNil, struct, text } from "./codec.js";

const EMPTY = new Uint8Array();
"""
_MESSAGES = """\
/** Messages by name. @type {Record<string, { tag: number, fields: import("./codec.js").Field[] }>} */
export const MESSAGES = {
"""
_RESULTS = """\
/** What Done carries, by the command, or the command and its act. @type {Record<string, import("./codec.js").Type>} */
export const RESULTS = {
"""


def module() -> str:
    """The whole module.

    Raises:
        TypeError: A message has a field of a type that the codec does not know.
    """
    messages = CLIENT_MESSAGES | SERVER_MESSAGES
    of_fields = (field.type for cls in messages.values() for field in msgspec.structs.fields(cls))
    parts = dict.fromkeys(_parts([*of_fields, *RESULTS.values()]))
    return "\n".join(
        [
            _HEAD,
            *map(_enumeration, _ENUMERATIONS),
            *map(_palette, ("SKINS", "HAIRS", "CLOTHES")),
            f"/** How many there are of each. */\nexport const LOOK_SIZES = Object.freeze({{\n{_sizes()}}});\n",
            *(f"const {_variable(cls)} = struct(\n{_fields(cls, 2)});\n" for cls in parts),
            f"{_MESSAGES}{''.join(_message(tag, cls) for tag, cls in messages.items())}}};\n",
            f"{_RESULTS}{''.join(map(_result, RESULTS))}}};\n",
        ]
    )


def _enumeration(cls: type[Enum]) -> str:
    about = (inspect.getdoc(cls) or "").partition(". ")[0].partition("\n")[0].rstrip(".").replace("``", "`")
    of = "string" if issubclass(cls, StrEnum) else "number"
    entries = [f"{one.name}: {_literal(one.value)}" for one in cls]
    body = _wrapped(entries, 2)
    return f"/** {about}. @enum {{{of}}} */\nexport const {cls.__name__} = Object.freeze({{\n{body}}});\n"


def _palette(name: str) -> str:
    colours = _wrapped((f"0x{one}" for one in getattr(looks, name)), 2)
    about = "/** Colours of looks, sRGB. @type {readonly number[]} */"
    return f"{about}\nexport const {name} = Object.freeze([\n{colours}]);\n"


def _sizes() -> str:
    return _wrapped((f"{name}: {size}" for name, size in looks.LOOK_SIZES._asdict().items()), 2)


def _message(tag: int, cls: type[Struct]) -> str:
    fields = _fields(cls, 6)
    shown = f"[\n{fields}    ]" if fields else "[]"
    return f"  {cls.__name__}: {{\n    tag: {tag},\n    fields: {shown},\n  }},\n"


def _result(key: tuple[type[Struct], str]) -> str:
    command, act = key
    return f"  {json.dumps(f'{command.__name__} {act}'.strip())}: {_type(RESULTS[key])},\n"


def _parts(kinds: Iterable[Any]) -> Iterator[type[Struct]]:
    """Structs that types are made of, each after those that it is made of itself."""
    for kind in kinds:
        for cls in _structs(types.type_info(kind)):
            yield from _parts(field.type for field in msgspec.structs.fields(cls))
            yield cls


def _structs(info: types.Type) -> list[type[Struct]]:
    match info:
        case types.Metadata(type=inner) | types.ListType(item_type=inner):
            return _structs(inner)
        case types.UnionType(types=options):
            return [cls for option in options for cls in _structs(option)]
        case types.StructType(cls=cls):
            return [cls]
    return []


def _variable(cls: type[Struct]) -> str:
    return cls.__name__[0].lower() + cls.__name__[1:]


def _fields(cls: type[Struct], indent: int) -> str:
    return _wrapped((_field(field) for field in msgspec.structs.fields(cls)), indent)


def _field(field: msgspec.structs.FieldInfo) -> str:
    said = [json.dumps(field.name), _type(field.type)]
    if not field.required:
        factory = field.default_factory
        said.append(_literal(field.default if factory is msgspec.NODEFAULT else factory()))
    return f"[{', '.join(said)}]"


def _wrapped(entries: Iterable[str], indent: int) -> str:
    """Entries with commas after them, as many in a line as there is room for."""
    lines: list[str] = []
    for entry in entries:
        if lines and len(lines[-1]) + len(entry) + 2 <= _WIDTH:
            lines[-1] += f" {entry},"
        else:
            lines.append(f"{' ' * indent}{entry},")
    return "".join(f"{line}\n" for line in lines)


def _type(kind: Any) -> str:
    return _in_codec(types.type_info(kind))


def _in_codec(info: types.Type) -> str:
    """A type, as calls of ``codec.js``."""
    match info:
        case types.Metadata(type=inner):
            return _in_codec(inner)
        case types.AnyType():
            return "anything"
        case types.BoolType():
            return "boolean"
        case types.EnumType(cls=cls) if not issubclass(cls, IntEnum):
            return f"oneOf(Object.values({cls.__name__}))"
        case types.StructType(cls=cls):
            return _variable(cls)
        case types.UnionType(types=(one, types.NoneType()) | (types.NoneType(), one)):
            return f"orNil({_in_codec(one)})"
    return _bounded(info)


def _bounded(info: types.Type) -> str:
    """A type that has bounds."""
    match info:
        case types.IntType(ge=low, le=high):
            return f"int({_bounds(low, high)})"
        case types.EnumType(cls=cls):
            numbers = [one.value for one in cls]
            return f"int({_bounds(min(numbers), max(numbers))})"
        case types.StrType(min_length=low, max_length=high):
            return f"text({_bounds(high, low)})"
        case types.BytesType(min_length=low, max_length=high):
            return f"binary({_bounds(low or (0 if high else None), high)})"
        case types.ListType(item_type=item, min_length=low, max_length=high):
            bounds = _bounds(low or (0 if high else None), high)
            return f"array({', '.join(filter(None, (_in_codec(item), bounds)))})"
    raise TypeError(f"expected a type of the wire, got {info}")


def _bounds(*bounds: int | None) -> str:
    """Bounds as arguments, without those at the end that are none."""
    return ", ".join(_literal(bound) for bound in bounds if bound is not None)


def _literal(value: Any) -> str:
    match value:
        case Enum():
            return _literal(value.value)
        case bytes():
            return "EMPTY"
        case int() if not isinstance(value, bool):
            return f"{value:_}" if abs(value) >= 10_000 else str(value)
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    sys.stdout.buffer.write(module().encode())
