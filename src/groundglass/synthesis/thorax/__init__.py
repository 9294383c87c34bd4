"""A procedural thorax: random anatomy, cone-beam radiographs of it, exact masks and landmarks."""

from groundglass.synthesis.thorax.anatomy import Thorax, random_thorax
from groundglass.synthesis.thorax.opacities import PlantedFinding
from groundglass.synthesis.thorax.radiograph import PhantomRadiograph, expose, random_beam, random_radiograph
from groundglass.synthesis.thorax.rays import Beam

__all__ = [
    "Beam",
    "PhantomRadiograph",
    "PlantedFinding",
    "Thorax",
    "expose",
    "random_beam",
    "random_radiograph",
    "random_thorax",
]
