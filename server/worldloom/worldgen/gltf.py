"""glTF 2.0 in its binary form (.glb): arrays and a document in one file. Knows no land.

Source: the Khronos specification of glTF 2.0, sections 3.6 (buffers, accessors) and 4.4 (the GLB container).
"""

import json
import struct
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

__all__ = ["INDICES", "VERTICES", "Glb"]

VERTICES, INDICES = 34_962, 34_963
"""What a buffer view is for: ``ARRAY_BUFFER`` and ``ELEMENT_ARRAY_BUFFER``."""

_COMPONENTS = {np.dtype(np.uint8): 5121, np.dtype(np.uint32): 5125, np.dtype(np.float32): 5126}
_TYPES = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4"}
_HEADER, _CHUNK = struct.Struct("<4sII"), struct.Struct("<I4s")
_MAX_BYTES = 2**32 - 1
"""The container counts in u32."""


class Glb:
    """A document under construction; what is added is named by its index, as glTF does.

    Args:
        generator: What writes it, with its version.
        extras: What else is to be said of the whole file.
    """

    def __init__(self, generator: str, extras: Mapping[str, Any]) -> None:
        self._document: dict[str, Any] = {
            "asset": {"version": "2.0", "generator": generator, "extras": dict(extras)},
            "scene": 0,
            "scenes": [{"nodes": []}],
        }
        self._parts: list[bytes] = []
        self._bytes = 0

    def add(self, kind: str, **item: Any) -> int:
        """Add a member to the array ``kind`` ("nodes", "meshes", "materials"); its index in it."""
        items = self._document.setdefault(kind, [])
        items.append(item)
        return len(items) - 1

    def show(self, node: int) -> None:
        """Let a node be a root of the scene."""
        self._document["scenes"][0]["nodes"].append(node)

    def put(self, values: npt.NDArray[Any], target: int, bounds: bool = False) -> int:
        """Add an array; the index of its accessor.

        Args:
            values: ``[n]`` or ``[n, 2..4]``, uint8, uint32 or float32; rows of a multiple of 4 bytes. uint8 stands for
                0 to 1.
            target: ``VERTICES`` or ``INDICES``.
            bounds: Whether to write the least and the largest of each column, as positions need.

        Raises:
            ValueError: Another type or shape, or no row.
        """
        columns = values.shape[1] if values.ndim == 2 else 1
        component = _COMPONENTS.get(values.dtype)
        if component is None or columns not in _TYPES or not len(values) or values[0].nbytes % 4:
            raise ValueError(
                f"expected rows of uint8, uint32 or float32, got {values.dtype} {list(values.shape)}"
            )
        data = values.astype(values.dtype.newbyteorder("<")).tobytes()
        view = self.add("bufferViews", buffer=0, byteOffset=self._bytes, byteLength=len(data), target=target)
        self._parts.append(data)
        self._bytes += len(data)
        accessor: dict[str, Any] = {"bufferView": view, "componentType": component, "count": len(values)}
        accessor["type"] = _TYPES[columns]
        if values.dtype == np.uint8:
            accessor["normalized"] = True
        if bounds:
            accessor["min"] = values.min(axis=0).reshape(-1).tolist()
            accessor["max"] = values.max(axis=0).reshape(-1).tolist()
        return self.add("accessors", **accessor)

    def write(self, file: BinaryIO) -> int:
        """Write the file; how many bytes it has.

        Raises:
            ValueError: It would be longer than the container can say.
        """
        document = {**self._document, "buffers": [{"byteLength": self._bytes}]}
        text = json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
        text += b" " * (-len(text) % 4)
        total = _HEADER.size + 2 * _CHUNK.size + len(text) + self._bytes
        if total > _MAX_BYTES:
            raise ValueError(f"expected at most {_MAX_BYTES} bytes in a .glb, got {total}")
        file.write(_HEADER.pack(b"glTF", 2, total))
        file.write(_CHUNK.pack(len(text), b"JSON"))
        file.write(text)
        file.write(_CHUNK.pack(self._bytes, b"BIN\0"))
        for part in self._parts:
            file.write(part)
        return total
