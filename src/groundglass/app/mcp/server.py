"""The tools as a Model Context Protocol server tells of them: names, descriptions, schemas, pictures, errors.

Each tool answers structured content that fits its published schema, the same as text, and pictures as PNG. A typed
error becomes a tool error whose text names the input and the remedy, for the model to mend its call.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Literal

import anyio.from_thread
from mcp.server.mcpserver import Context, MCPServer
from mcp_types import CallToolResult, ImageContent, TextContent, ToolAnnotations
from pydantic import BaseModel, Field

from groundglass import __version__
from groundglass.app.mcp import answers
from groundglass.app.mcp.tools import Pictures, Tools
from groundglass.core import GroundglassError

_INSTRUCTIONS = """Biomedical images in; findings, measurements and draft reports out. Not a medical device: every
result needs a qualified reader. Paths are files, DICOM folders or zips below the allowed folders (see `capabilities`).
`info` says what files hold; `view` draws a slice; `segment` takes clicks in pixels of that drawing; `read` does the
whole study and says on which models and figures each finding stands. A model that cannot see a structure has no card
for it in `list_models`: say so instead of guessing."""

Paths = Annotated[list[str], Field(description="Files, DICOM folders or zips of one study.")]
ImageName = Annotated[
    str | None, Field(description="Name of the image, as `info` gives it; needed if there are several.")
]
Plane = Annotated[str | None, Field(description="axial, coronal, sagittal, or picture; else the acquired plane.")]
_LOOKS = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)
_WRITES = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False)


def build_server(folders: Sequence[Path], out: Path) -> MCPServer:
    """A server whose tools read below `folders` and write below `out`. Raises InputError for what is no folder."""
    tools = Tools(folders, out)
    server = MCPServer(
        "groundglass", title="groundglass", version=__version__, instructions=_INSTRUCTIONS, log_level="WARNING"
    )
    # Models and volumes are large: one call is worked on at a time, the others wait.
    turn = threading.Lock()

    def answered(make: Callable[[], BaseModel | tuple[BaseModel, Pictures]]) -> CallToolResult:
        try:
            with turn:
                made = make()
        except GroundglassError as error:
            return _refusal(error)
        answer, pictures = made if isinstance(made, tuple) else (made, [])
        return CallToolResult(
            content=[TextContent(type="text", text=answer.model_dump_json(exclude_none=True)), *map(_png, pictures)],
            structured_content=answer.model_dump(mode="json"),
        )

    @server.tool(title="What this installation can do", annotations=_LOOKS)
    def capabilities() -> Annotated[CallToolResult, answers.Capabilities]:
        """What this installation can do, and the folders that the tools may read."""
        return answered(tools.capabilities)

    @server.tool(title="Cards of the models", annotations=_LOOKS)
    def list_models() -> Annotated[CallToolResult, answers.ModelCards]:
        """The models that take part in `read`: what each sees, on what it was measured, and the terms it speaks of."""
        return answered(tools.models)

    @server.tool(title="What files hold", annotations=_LOOKS)
    def info(paths: Paths) -> Annotated[CallToolResult, answers.StudyFacts]:
        """Modality, size, geometry and warnings of every image, with thumbnails of the first four."""
        return answered(lambda: tools.info(paths))

    @server.tool(title="Look at a slice", annotations=_LOOKS)
    def view(
        paths: Paths,
        image: ImageName = None,
        plane: Plane = None,
        slice: Annotated[int | None, Field(description="Slice of the plane; else the middle one.")] = None,
        mask: Annotated[str | None, Field(description="Mask file to draw on it.")] = None,
        window: Annotated[
            tuple[float, float] | None, Field(description="Values shown black and white, for instance -160 and 240 HU.")
        ] = None,
    ) -> Annotated[CallToolResult, answers.View]:
        """A slice as a radiologist sees it (the patient's right on the left); `segment` counts in its pixels."""
        return answered(lambda: tools.view(paths, image=image, plane=plane, slice=slice, mask=mask, limits=window))

    @server.tool(title="Read a study", annotations=_WRITES)
    def read(
        ctx: Context,
        paths: Paths,
        clinical: Annotated[str, Field(description="Clinical question, printed as the indication.")] = "",
        only: Annotated[list[str] | None, Field(description="Terms to report; else all that is found.")] = None,
        masks: Annotated[dict[str, str] | None, Field(description="Masks to use: term to file.")] = None,
        prior: Annotated[
            str | None, Field(description="Earlier output folder, report or study to compare with.")
        ] = None,
        language: Literal["en", "id"] = "en",
    ) -> Annotated[CallToolResult, answers.ReadAnswer]:
        """Find, measure and report what is in a study; pictures show the masks. Writes report, masks, SEG and SR."""
        return answered(
            lambda: tools.read(
                paths,
                clinical=clinical,
                only=only or (),
                masks=masks,
                prior=prior,
                language=language,
                tell=_teller(ctx),
            )
        )

    @server.tool(title="Segment by pointing", annotations=_WRITES)
    def segment(
        ctx: Context,
        paths: Paths,
        term: Annotated[str, Field(description="What it is, a term such as liver or left kidney.")],
        prompts: Annotated[list[answers.Stroke], Field(description="Clicks, scribbles and boxes, in order.")],
        image: ImageName = None,
        propagate: Annotated[bool, Field(description="Carry the prompted slices through the volume.")] = False,
    ) -> Annotated[CallToolResult, answers.SegmentAnswer]:
        """Outline one structure by clicks, scribbles or a box; add prompts to a repeated call to correct it."""
        return answered(
            lambda: tools.segment(paths, term, prompts, image=image, propagate=propagate, tell=_teller(ctx))
        )

    @server.tool(title="Measure a mask", annotations=_LOOKS)
    def measure(
        paths: Paths,
        mask: Annotated[str, Field(description="Mask file: NIfTI, NRRD, PNG or DICOM SEG.")],
        image: ImageName = None,
        label: Annotated[
            int | None, Field(description="Value of the label in a label map; else all that is set.")
        ] = None,
    ) -> Annotated[CallToolResult, answers.MeasureAnswer]:
        """Volume, diameters, shape and values (HU, SUV) of a mask on its image."""
        return answered(lambda: tools.measure(paths, mask, image=image, label=label))

    @server.tool(title="Label a report", annotations=_LOOKS)
    def label(
        text: Annotated[str, Field(description="The report.", max_length=200_000)],
        label_set: Annotated[str, Field(description="chexpert14 or another label set.")] = "chexpert14",
        language: Annotated[str, Field(description="Language of the report.")] = "en",
    ) -> Annotated[CallToolResult, answers.LabelAnswer]:
        """Labels of a free-text report by rules, negation and doubt understood, with the words that gave them."""
        return answered(lambda: tools.label(text, label_set, language))

    @server.tool(title="Score against the truth", annotations=_LOOKS)
    def compare(
        prediction: Annotated[str, Field(description="A file or folder of predictions.")],
        truth: Annotated[str, Field(description="The truth: a file or folder, paired by name.")],
        kind: Literal["masks", "reports"] = "masks",
        tolerance_mm: Annotated[float | None, Field(description="Tolerance of the surface Dice in mm.", gt=0)] = None,
    ) -> Annotated[CallToolResult, answers.CompareAnswer]:
        """Score masks (Dice, surface distances) or reports (words, labels) against the truth, with intervals."""
        return answered(lambda: tools.compare(prediction, truth, kind, tolerance_mm))

    return server


def _refusal(error: GroundglassError) -> CallToolResult:
    told = {
        "error": type(error).__name__,
        "input": error.input_name,
        "problem": error.problem,
        "remedy": error.remedy,
    }
    text = f"{type(error).__name__}: {error}"
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=told, is_error=True)


def _png(picture: bytes) -> ImageContent:
    return ImageContent(type="image", data=base64.b64encode(picture).decode("ascii"), mime_type="image/png")


def _teller(ctx: Context) -> Callable[[str], None]:
    """Progress of a call that runs in a thread, told to the client."""
    step = 0

    def tell(message: str) -> None:
        nonlocal step
        step += 1
        anyio.from_thread.run(ctx.report_progress, float(step), None, message)

    return tell
