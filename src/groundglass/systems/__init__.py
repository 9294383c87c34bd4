"""One file per published system: wiring and proof."""

from groundglass.systems.proof import Claim, Proof
from groundglass.systems.registry import System, system, systems

__all__ = ["Claim", "Proof", "System", "system", "systems"]
