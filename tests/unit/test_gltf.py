"""The writer of .glb files."""

import io

import numpy as np
import pytest

from glb_reader import read_glb
from worldloom.worldgen.gltf import INDICES, VERTICES, Glb


def triangle(name: str = "triangle") -> Glb:
    glb = Glb("Worldloom test", {"of": "Länder ☂"})
    attributes = {
        "POSITION": glb.put(np.array([[0, 0, 0], [0, 0, 1], [1.5, 0, 1]], np.float32), VERTICES, bounds=True),
        "NORMAL": glb.put(np.array([[0, 1, 0]] * 3, np.float32), VERTICES),
        "COLOR_0": glb.put(np.array([[255, 0, 0, 255]] * 3, np.uint8), VERTICES),
    }
    indices = glb.put(np.array([0, 1, 2], np.uint32), INDICES)
    material = glb.add("materials", name="matt")
    primitive = {"attributes": attributes, "indices": indices, "material": material}
    glb.show(glb.add("nodes", name=name, mesh=glb.add("meshes", name=name, primitives=[primitive])))
    return glb


def written(glb: Glb) -> bytes:
    file = io.BytesIO()
    size = glb.write(file)
    assert size == len(file.getvalue())
    return file.getvalue()


def test_what_is_put_in_is_read_back():
    model = read_glb(written(triangle()))
    node = model.node("triangle")
    assert model.corners(node).tolist() == [[[0, 0, 0], [0, 0, 1], [1.5, 0, 1]]]
    assert model.attribute(node, "COLOR_0").tolist() == [[255, 0, 0, 255]] * 3
    assert model.document["asset"]["extras"] == {"of": "Länder ☂"}
    position = model.document["accessors"][0]
    assert (position["min"], position["max"]) == ([0, 0, 0], [1.5, 0, 1])


@pytest.mark.parametrize("name", ["a", "ab", "abc", "abcd"])
def test_chunks_end_at_a_multiple_of_four_whatever_the_length_of_the_text(name):
    assert read_glb(written(triangle(name))).node(name)


def test_writing_twice_gives_the_same_bytes():
    glb = triangle()
    assert written(glb) == written(glb)


@pytest.mark.parametrize(
    "values",
    [
        np.zeros((3, 3), np.float64),
        np.zeros((3, 3), np.uint8),
        np.zeros((3, 5), np.float32),
        np.zeros((0, 3), np.float32),
    ],
    ids=["64 bits", "rows of 3 bytes", "5 columns", "no row"],
)
def test_an_array_that_the_format_cannot_say_is_refused(values):
    with pytest.raises(ValueError, match="expected rows of"):
        Glb("", {}).put(values, VERTICES)


def test_a_number_that_json_cannot_say_is_refused():
    glb = Glb("", {"height": float("nan")})
    with pytest.raises(ValueError, match="JSON"):
        glb.write(io.BytesIO())
