"""Typed errors: what was wrong with which input, and what to do about it."""

from __future__ import annotations


class GroundglassError(Exception):
    """Base of every error that a user can cause and mend.

    `input_name` names the input (a path, a term, an option), `problem` says what is wrong with it,
    `remedy` what to do. `str(error)` is one line made of the three.
    """

    def __init__(self, input_name: object, problem: str, remedy: str) -> None:
        self.input_name = str(input_name)
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{self.input_name}: {problem}. {remedy}")

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross process borders in batches; the default pickling would pass one argument.
        return (type(self), (self.input_name, self.problem, self.remedy))


class InputError(GroundglassError):
    """An input cannot be used as it is."""


class TruncatedError(InputError):
    """A file ends before its own header says that it should, or is empty."""


class UnsupportedError(InputError):
    """A file is whole, but of a kind that is not read here."""


class GeometryError(InputError):
    """Affine, spacing or shape is missing, singular or contradicts another input."""


class EmptyMaskError(InputError):
    """A mask has no voxel, and the operation needs at least one."""


class UnsafeInputError(InputError):
    """An input claims or contains what would harm the machine (path escape, decompression bomb)."""


class ConfigurationError(GroundglassError):
    """An option, a model or an installed part is missing or contradicts another."""


class NetworkError(GroundglassError):
    """Another machine did not answer, or said that it cannot now; the same request may succeed later."""
