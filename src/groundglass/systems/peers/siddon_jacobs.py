"""ITK's Siddon-Jacobs ray caster on one volume: `python siddon_jacobs.py INPUT.npz OUTPUT.npy`.

Needs the package itk-twoprojectionregistration. INPUT holds `volume` (x, y, z; int16), `spacing`, `rotation` (degrees),
`translation` (mm), `size` (rows, columns), `pixel_mm`, `distance_mm`, `threshold`. OUTPUT: (rows, columns).
"""

import sys

import itk
import numpy as np

held = np.load(sys.argv[1])
volume = itk.image_from_array(np.ascontiguousarray(held["volume"].transpose(2, 1, 0)).astype(np.int16))
volume.SetSpacing([float(s) for s in held["spacing"]])
volume.SetOrigin([0.0, 0.0, 0.0])
kind = type(volume)

centre = [0.5 * float(s) * n for s, n in zip(held["spacing"], held["volume"].shape, strict=True)]
turn = itk.Euler3DTransform[itk.D].New()
turn.SetComputeZYX(True)
turn.SetTranslation([float(t) for t in held["translation"]])
turn.SetRotation(*[float(np.radians(angle)) for angle in held["rotation"]])
turn.SetCenter(centre)

caster = itk.SiddonJacobsRayCastInterpolateImageFunction[kind, itk.D].New()
caster.SetProjectionAngle(0.0)
caster.SetFocalPointToIsocenterDistance(float(held["distance_mm"]))
caster.SetThreshold(float(held["threshold"]))
caster.SetTransform(turn)
caster.SetInputImage(volume)
caster.Initialize()

rows, columns = (int(n) for n in held["size"])
pixel = float(held["pixel_mm"])
film = itk.ResampleImageFilter[kind, kind].New()
film.SetInput(volume)
film.SetDefaultPixelValue(0)
film.SetInterpolator(caster)
film.SetSize([columns, rows, 1])
film.SetOutputSpacing([pixel, pixel, 1.0])
film.SetOutputOrigin([-pixel * (columns - 1) / 2, -pixel * (rows - 1) / 2, -float(held["distance_mm"])])
film.Update()
np.save(sys.argv[2], itk.array_from_image(film.GetOutput())[0])
