"""The network that answers prompts, run by torch or by ONNX Runtime; and the engine that answers when none is named."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from groundglass.core import ConfigurationError, ModelCitation
from groundglass.segmentation.interactive.encoding import encode
from groundglass.segmentation.interactive.engine import CUES, ClassicalEngine, Engine, View, classical_odds
from groundglass.segmentation.interactive.sharpening import sharpened, walked

if TYPE_CHECKING:
    import torch

MODEL = "interactive"
Float = NDArray[np.float32]
Forward = Callable[[Float, Float], Float]


class NetworkEngine:
    """A StrokeUNet behind the classical cues, its outlines sharpened; `forward(full, half)` gives (1, 1, H, W)."""

    def __init__(self, forward: Forward, citation: ModelCitation) -> None:
        self._forward = forward
        self.citation = citation

    def logits(self, view: View) -> Float:
        """Logits (H, W) of a view."""
        planes = (view.image, view.positive, view.negative, view.box, view.previous)
        full, half = encode(*(plane[None] for plane in planes))  # type: ignore[arg-type]
        answer = sharpened(self._forward(full, half)[0, 0], view.image)
        answer = answer + max(view.lean, click_weight(view)) * classical_odds(half)[0]
        return walked(answer, view.image, view.positive, view.negative)


def click_weight(view: View) -> float:
    """How much the classical odds count beside the network's: 7 for one click, the less the more was drawn.

    The network was trained with few single clicks and answers them with a part of the structure.
    """
    if view.box.any():
        return 0.0
    drawn = view.positive.sum() + view.negative.sum()
    return 8.0 * float(np.exp(-drawn / 8.0)) if view.positive.any() else 0.0


def torch_engine(model: str | Path = MODEL) -> NetworkEngine:
    """A built-in model or model folder, run by torch. Raises ConfigurationError when there is none."""
    from groundglass.models import load_model

    loaded = load_model(model)
    return network_engine(loaded.network, loaded.citation)


def network_engine(network: torch.nn.Module, citation: ModelCitation) -> NetworkEngine:
    """A StrokeUNet run by torch, in bfloat16, as it was trained, where the processor computes in it: that takes half of
    the time."""
    import torch

    from groundglass.nets.folding import folded
    from groundglass.segmentation.sliding import fast_inference

    fast = folded(network).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(full: Float, half: Float) -> Float:
        inputs = [torch.from_numpy(p).contiguous(memory_format=torch.channels_last) for p in (full, half)]
        with fast_inference():
            return np.asarray(fast(*inputs).float().numpy())

    return NetworkEngine(forward, citation)


def onnx_engine(path: Path, *, threads: int = 0) -> NetworkEngine:
    """A network that `export_onnx` wrote, run by ONNX Runtime with `threads` (0: its own choice).

    Raises ConfigurationError when ONNX Runtime is not installed or the file is no such network.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise ConfigurationError("onnxruntime", "is not installed", "Install groundglass[onnx].") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ConfigurationError(path, f"does not load ({error})", "Export it again.") from error
    facts = session.get_modelmeta().custom_metadata_map

    def forward(full: Float, half: Float) -> Float:
        return np.asarray(session.run(None, {"full": full, "half": half})[0])

    return NetworkEngine(forward, ModelCitation(facts.get("name", MODEL), facts.get("version", "")))


def export_onnx(path: Path, model: str | Path = MODEL) -> Path:
    """Write the network as ONNX: inputs `full` (B, 5, H, W) and `half` (B, 7, H / 2, W / 2), output `logits`; any size.

    Raises ConfigurationError when onnx and onnxscript are not installed.
    """
    import torch

    from groundglass.io.atomic import atomic_path
    from groundglass.models import load_model

    try:
        import onnx
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ConfigurationError("onnx", "is not installed", "Install groundglass[onnx].") from error
    loaded = load_model(model)
    side = {2: "height", 3: "width"}
    shapes = {"full": {0: "batch", **side}, "half": {0: "batch", 2: "half_height", 3: "half_width"}}
    example = (torch.zeros(2, 5, 128, 192), torch.zeros(2, CUES, 64, 96))
    with atomic_path(path) as temporary:
        torch.onnx.export(
            loaded.network, example, str(temporary), input_names=["full", "half"], output_names=["logits"],
            dynamic_axes={**shapes, "logits": shapes["full"]}, dynamo=False,
        )  # fmt: skip
        graph = onnx.load(str(temporary))
        for key, value in (("name", loaded.citation.name), ("version", loaded.citation.version)):
            entry = graph.metadata_props.add()
            entry.key, entry.value = key, value
        onnx.save(graph, str(temporary))
    return path


@lru_cache(maxsize=1)
def default_engine() -> Engine:
    """The built-in network where it is installed, else the classical cues."""
    from groundglass.models import builtin_models

    return torch_engine() if MODEL in builtin_models() else ClassicalEngine()
