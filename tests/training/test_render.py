"""Rendered models become cut-outs; where VTK and a display are at hand."""

import os
import sys

import cv2
import numpy as np
import pytest

pytest.importorskip("vtk", reason="rendering needs VTK, which nothing else does")
if not os.environ.get("DISPLAY"):
    pytest.skip("rendering needs a display (xvfb-run -a)", allow_module_level=True)

from edgewise.errors import InputError
from edgewise.training import render

CUBE = """mtllib cube.mtl
v 0 0 0
v 1 0 0
v 1 1 0
v 0 1 0
v 0 0 1
v 1 0 1
v 1 1 1
v 0 1 1
usemtl red
f 4 3 2 1
f 5 6 7 8
f 1 2 6 5
f 2 3 7 6
f 3 4 8 7
f 4 1 5 8
"""


def test_a_model_is_seen_from_several_sides(tmp_path, monkeypatch):
    (tmp_path / "models" / "deep").mkdir(parents=True)
    (tmp_path / "models" / "deep" / "cube.obj").write_text(CUBE)
    (tmp_path / "models" / "deep" / "cube.mtl").write_text("newmtl red\nKd 1 0.1 0.1\n")
    words = ["render", str(tmp_path / "models"), str(tmp_path / "out"), "--views", "3"]
    monkeypatch.setattr(sys, "argv", words)
    render.main()
    found = sorted((tmp_path / "out").iterdir())
    assert [path.name for path in found] == ["cube_0.webp", "cube_1.webp", "cube_2.webp"]
    seen = [cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in found]
    for bgra in seen:
        solid = bgra[..., 3] > 250
        assert solid.mean() > 0.5
        blue, _, red = bgra[solid][:, :3].mean(0)
        assert red > 3 * blue
    assert len({bgra.shape for bgra in seen} | {bgra.tobytes() for bgra in seen}) > 3


def test_the_same_model_is_seen_the_same_way(tmp_path):
    (tmp_path / "cube.obj").write_text(CUBE)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        render.render(tmp_path / "cube.obj", tmp_path / name, views=1)
    a, b = (cv2.imread(str(tmp_path / n / "cube_0.webp"), cv2.IMREAD_UNCHANGED) for n in "ab")
    assert np.array_equal(a, b)


def test_a_folder_without_models_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["render", str(tmp_path), str(tmp_path / "out")])
    with pytest.raises(InputError, match=r"no \.obj"):
        render.main()
