"""A strict reader of .glb files for tests: what the specification of glTF 2.0 asks for is asserted, not assumed."""

import json
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

_DTYPES = {5121: np.dtype("u1"), 5125: np.dtype("<u4"), 5126: np.dtype("<f4")}
_COLUMNS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}
_TARGETS = {34_962, 34_963}


@dataclass(frozen=True)
class Model:
    document: dict[str, Any]
    binary: bytes

    def array(self, accessor: int) -> np.ndarray:
        entry = self.document["accessors"][accessor]
        view = self.document["bufferViews"][entry["bufferView"]]
        dtype, columns = _DTYPES[entry["componentType"]], _COLUMNS[entry["type"]]
        assert view["byteLength"] == entry["count"] * columns * dtype.itemsize
        flat = np.frombuffer(self.binary, dtype, entry["count"] * columns, view["byteOffset"])
        return flat.reshape(-1, columns) if columns > 1 else flat

    def node(self, name: str) -> dict[str, Any]:
        (found,) = [node for node in self.document["nodes"] if node.get("name") == name]
        return found

    def children(self, node: dict[str, Any]) -> list[dict[str, Any]]:
        return [self.document["nodes"][child] for child in node.get("children", [])]

    def child(self, node: dict[str, Any], name: str) -> dict[str, Any]:
        (found,) = [child for child in self.children(node) if child.get("name") == name]
        return found

    def mesh_name(self, node: dict[str, Any]) -> str:
        return self.document["meshes"][node["mesh"]]["name"]

    def attribute(self, node: dict[str, Any], name: str) -> np.ndarray:
        return self.array(self._primitive(node)["attributes"][name])

    def corners(self, node: dict[str, Any]) -> np.ndarray:
        """Triangles ``[n, 3, 3]`` of a node's mesh, in its own metres."""
        positions, primitive = self.attribute(node, "POSITION"), self._primitive(node)
        indices = self.array(primitive["indices"]) if "indices" in primitive else np.arange(len(positions))
        return positions[indices].reshape(-1, 3, 3)

    def _primitive(self, node: dict[str, Any]) -> dict[str, Any]:
        (primitive,) = self.document["meshes"][node["mesh"]]["primitives"]
        return primitive


def read_glb(data: bytes) -> Model:
    magic, version, length = struct.unpack_from("<4sII", data)
    assert (magic, version, length) == (b"glTF", 2, len(data))
    json_length, json_kind = struct.unpack_from("<I4s", data, 12)
    assert json_kind == b"JSON"
    assert json_length % 4 == 0
    text = data[20 : 20 + json_length]
    bin_length, bin_kind = struct.unpack_from("<I4s", data, 20 + json_length)
    assert bin_kind == b"BIN\0"
    assert bin_length % 4 == 0
    binary = data[28 + json_length :]
    assert len(binary) == bin_length
    document = json.loads(text.decode(), object_pairs_hook=_without_repeats, parse_constant=_no_number)
    model = Model(document, binary)
    assert document["asset"]["version"] == "2.0"
    assert document["buffers"] == [{"byteLength": bin_length}]
    _check_views(model)
    for accessor in range(len(document["accessors"])):
        _check_accessor(model, accessor)
    for mesh in document["meshes"]:
        _check_mesh(model, mesh)
    _check_nodes(document)
    return model


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len({key for key, _ in pairs}) == len(pairs)
    return dict(pairs)


def _no_number(text: str) -> None:
    raise AssertionError(f"{text} is no JSON")


def _check_views(model: Model) -> None:
    end = 0
    for view in model.document["bufferViews"]:
        assert view["buffer"] == 0
        assert view["byteOffset"] % 4 == 0
        assert view["byteOffset"] >= end, "views do not overlap"
        assert view["target"] in _TARGETS
        end = view["byteOffset"] + view["byteLength"]
    assert end <= len(model.binary)


def _check_accessor(model: Model, accessor: int) -> None:
    entry, values = model.document["accessors"][accessor], model.array(accessor)
    assert len(values) == entry["count"] > 0
    assert np.isfinite(values.astype(np.float64)).all()
    for key, bound in (("min", values.min(axis=0)), ("max", values.max(axis=0))):
        assert entry.get(key, np.atleast_1d(bound).tolist()) == np.atleast_1d(bound).tolist()


def _check_mesh(model: Model, mesh: dict[str, Any]) -> None:
    for primitive in mesh["primitives"]:
        attributes = primitive["attributes"]
        assert {"min", "max"} <= set(model.document["accessors"][attributes["POSITION"]])
        counts = {len(model.array(accessor)) for accessor in attributes.values()}
        assert len(counts) == 1
        lengths = np.linalg.norm(model.array(attributes["NORMAL"]).astype(np.float64), axis=1)
        assert np.allclose(lengths, 1.0, atol=1e-6)
        if "COLOR_0" in attributes:
            assert model.document["accessors"][attributes["COLOR_0"]]["normalized"]
        corners = counts.pop()
        if "indices" in primitive:
            indices = model.array(primitive["indices"])
            assert indices.max() < corners
            corners = len(indices)
        assert corners % 3 == 0
        assert 0 <= primitive["material"] < len(model.document["materials"])


def _check_nodes(document: dict[str, Any]) -> None:
    nodes, roots = document["nodes"], document["scenes"][document["scene"]]["nodes"]
    parents = [child for node in nodes for child in node.get("children", [])] + roots
    assert sorted(parents) == list(range(len(nodes))), "a tree: each node has one parent or is a root"
    for node in nodes:
        assert node.get("children", [0]), "no empty list"
        assert 0 <= node.get("mesh", 0) < len(document["meshes"])
        turn = np.array(node.get("rotation", [0, 0, 0, 1]), np.float64)
        assert abs(np.linalg.norm(turn) - 1.0) < 1e-6
