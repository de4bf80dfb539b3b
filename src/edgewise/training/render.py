"""Render 3-D models as cut-outs with exact alpha: OBJ files with their materials to WebP.

Needs VTK (`pip install vtk`) and a display, which `xvfb-run -a` gives where there is none.
"""

import argparse
import zlib
from pathlib import Path

import cv2
import numpy as np
import vtk
from numpy.random import Generator
from numpy.typing import NDArray
from vtk.util.numpy_support import vtk_to_numpy

from edgewise.errors import InputError
from edgewise.files import make_folder
from edgewise.training import command
from edgewise.training.collage import matte
from edgewise.training.data import write_picture

SIDE = 1024  # pixels that are rendered; cut-outs come at half of it
CLEAR = 0.6  # materials less opaque than this are rendered opaque: their edges would be none

Pixels = NDArray[np.float32]


def _open(path: Path, random: Generator) -> tuple[vtk.vtkRenderWindow, vtk.vtkRenderer]:
    """The model in a window that is not shown, its materials varied."""
    importer = vtk.vtkOBJImporter()
    importer.SetFileName(str(path))
    importer.SetTexturePath(str(path.parent))
    with path.open(errors="replace") as lines:
        named = [line.split(maxsplit=1)[1].strip() for line in lines if line.startswith("mtllib ")]
    if named and (materials := path.parent / named[0]).exists():
        importer.SetFileNameMTL(str(materials))
    window = vtk.vtkRenderWindow()
    window.SetOffScreenRendering(1)
    window.SetSize(SIDE, SIDE)
    window.SetMultiSamples(4)
    importer.SetRenderWindow(window)
    importer.Update()
    actors = importer.GetRenderer().GetActors()
    actors.InitTraversal()
    while (actor := actors.GetNextActor()) is not None:
        surface = actor.GetProperty()
        surface.SetAmbientColor(*surface.GetDiffuseColor())
        surface.SetAmbient(random.uniform(0.15, 0.4))
        surface.SetDiffuse(random.uniform(0.6, 0.9))
        surface.SetSpecular(random.uniform(0, 0.5))
        surface.SetSpecularPower(random.uniform(5, 60))
        surface.SetInterpolationToPhong()
        if surface.GetOpacity() < CLEAR:
            surface.SetOpacity(1)
    return window, importer.GetRenderer()


def _light(renderer: vtk.vtkRenderer, random: Generator) -> None:
    """One to three lights from above, and one from where the camera is."""
    renderer.RemoveAllLights()
    renderer.SetAutomaticLightCreation(0)
    for _ in range(int(random.integers(1, 4))):
        light = vtk.vtkLight()
        light.SetLightTypeToSceneLight()
        light.SetPositional(False)
        across, up, along = random.normal(size=3)
        light.SetPosition(across, abs(up) + 0.5, along)
        light.SetIntensity(random.uniform(0.4, 1))
        light.SetColor(*random.uniform(0.8, 1, 3))
        renderer.AddLight(light)
    light = vtk.vtkLight()
    light.SetLightTypeToHeadlight()
    light.SetIntensity(random.uniform(0.1, 0.6))
    renderer.AddLight(light)


def _look(renderer: vtk.vtkRenderer, random: Generator) -> None:
    """The camera anywhere around the model, level with it or above."""
    low_x, high_x, low_y, high_y, low_z, high_z = renderer.ComputeVisiblePropBounds()
    middle = np.array([low_x + high_x, low_y + high_y, low_z + high_z]) / 2
    turn, rise = random.uniform(0, 2 * np.pi), random.uniform(-0.1, 0.8)
    away = (np.cos(rise) * np.sin(turn), np.sin(rise), np.cos(rise) * np.cos(turn))
    camera = renderer.GetActiveCamera()
    camera.SetFocalPoint(*middle)
    camera.SetPosition(*(middle + away))
    camera.SetViewUp(0, 1, 0)
    camera.SetViewAngle(random.uniform(15, 50))
    renderer.ResetCamera()
    camera.Zoom(1.12)
    renderer.ResetCameraClippingRange()


def _before(window: vtk.vtkRenderWindow, renderer: vtk.vtkRenderer, grey: float) -> Pixels:
    """The picture before a ground of that grey, float32 HxWx3 RGB."""
    renderer.SetBackground(grey, grey, grey)
    window.Render()
    taken = vtk.vtkWindowToImageFilter()
    taken.SetInput(window)
    taken.SetInputBufferTypeToRGB()
    taken.ReadFrontBufferOff()
    taken.Update()
    levels = vtk_to_numpy(taken.GetOutput().GetPointData().GetScalars())
    return np.asarray(levels.reshape(SIDE, SIDE, 3)[::-1], np.float32)


def render(path: Path, folder: Path, *, views: int) -> None:
    """Write `views` cut-outs of a model, named after it; those that show little are left out.

    Raises:
        InputError: `views` is less than 1.
        OutputError: they cannot be written.
    """
    if views < 1:
        raise InputError(f"--views must be at least 1, not {views}")
    random = np.random.default_rng(zlib.crc32(path.name.encode()))
    window, renderer = _open(path, random)
    for view in range(views):
        _light(renderer, random)
        _look(renderer, random)
        seen = matte(_before(window, renderer, 0), _before(window, renderer, 1), random)
        if seen is not None:
            name = f"{path.stem}_{view}.webp"
            write_picture(folder / name, seen, [cv2.IMWRITE_WEBP_QUALITY, 92])
    window.Finalize()


def main() -> None:
    """Command line: see --help."""
    parser = argparse.ArgumentParser(description="Render 3-D models as cut-outs.")
    parser.add_argument("models", type=Path, help="folder with .obj files anywhere below")
    parser.add_argument("output", type=Path, help="where the cut-outs go")
    parser.add_argument("--views", type=int, default=2, help="of every model")
    options = parser.parse_args()
    models = sorted(options.models.rglob("*.obj"))
    if not models:
        raise InputError(f"{options.models}: holds no .obj file")
    vtk.vtkObject.GlobalWarningDisplayOff()
    make_folder(options.output)
    for path in models:
        render(path, options.output, views=options.views)


if __name__ == "__main__":
    command.run(main)
