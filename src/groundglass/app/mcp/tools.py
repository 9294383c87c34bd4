"""What each tool does: names of files and numbers in, an answer and pictures out. Nothing here knows the protocol."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

from groundglass.app.mcp import answers
from groundglass.app.mcp.measuring import measured
from groundglass.app.mcp.pictures import THUMBNAIL, Layer, draw, layers_of, plane_of, planes_of, through
from groundglass.app.mcp.roots import Roots
from groundglass.app.mcp.strokes import apply_stroke
from groundglass.core import ConfigurationError, Image, InputError, Mask, Study
from groundglass.core.mask_name import mask_name
from groundglass.report.pictures import LESION, PALETTE, window
from groundglass.report.planes import Plane

Pictures = list[bytes]
_MOST_PICTURES = 4


class Tools:
    """The verbs on files below the `folders`, with their own files written below `out`."""

    def __init__(self, folders: Sequence[Path], out: Path) -> None:
        out.mkdir(parents=True, exist_ok=True)
        self.out = out.resolve()
        # What a tool wrote, the next may read.
        self.roots = Roots([*folders, self.out])

    def capabilities(self) -> answers.Capabilities:
        """The document of `groundglass info --json`, with the folders."""
        from groundglass.app.capabilities import capabilities

        return answers.Capabilities.model_validate(
            {**capabilities(), "folders": [str(folder) for folder in self.roots.folders]}
        )

    def models(self) -> answers.ModelCards:
        """Cards of the models that ship."""
        from groundglass.models import builtin_models, model_card, model_config

        cards = []
        for name in builtin_models():
            config = model_config(name)
            paragraphs = [p for p in model_card(name).split("\n\n") if not p.startswith("#")]
            card = answers.ModelCard(
                name=config["name"],
                version=config["version"],
                overview=" ".join(paragraphs[0].split()),
                measured_on=config.get("measured_on", ""),
                terms=[label for label in config.get("labels", ()) if label != "background"],
            )
            cards.append(card)
        return answers.ModelCards(models=cards)

    def info(self, paths: Sequence[str]) -> tuple[answers.StudyFacts, Pictures]:
        """Header facts of every image, and a thumbnail of the first few."""
        study = self._study(paths)
        facts = []
        for image in study.images:
            part = image.acquisition.body_part
            facts.append(
                answers.ImageFacts(
                    name=image.name,
                    modality=image.modality,
                    body_part=part,
                    shape=list(image.shape),
                    channels=image.channels,
                    spacing_mm=[round(s, 4) for s in image.spacing] if image.spacing_known else None,
                    units=image.units,
                    planes=planes_of(image) if _is_drawable(image) else {},
                    warnings=list(image.warnings),
                )
            )
        warnings = list(study.warnings)
        pictures = []
        for image in [image for image in study.images if _is_drawable(image)][:_MOST_PICTURES]:
            pictures.append(draw(image, plane_of(image, None, None, longest=THUMBNAIL))[0])
        return answers.StudyFacts(images=facts, warnings=warnings), pictures

    def view(
        self,
        paths: Sequence[str],
        *,
        image: str | None = None,
        plane: str | None = None,
        slice: int | None = None,
        mask: str | None = None,
        limits: tuple[float, float] | None = None,
    ) -> tuple[answers.View, Pictures]:
        """A slice, with a mask file on it where one is named."""
        shown = self._image(paths, image)
        layers = []
        if mask:
            layers.append(Layer(self._mask(mask, shown, None, []), PALETTE[0], Path(mask).name))
        chosen = plane_of(shown, plane, slice)
        if layers and plane is None and slice is None:
            chosen = through(shown, layers[0].mask)
        return self._view(shown, chosen, layers, limits)

    def read(
        self,
        paths: Sequence[str],
        *,
        clinical: str = "",
        only: Sequence[str] = (),
        masks: dict[str, str] | None = None,
        prior: str | None = None,
        language: str = "en",
        tell: Callable[[str], None] = lambda _message: None,
    ) -> tuple[answers.ReadAnswer, Pictures]:
        """The main job: findings, measurements and a draft report; a picture of each image with what was found."""
        from groundglass.app.read import read
        from groundglass.io import read_study
        from groundglass.reading import recognise_study

        files = self.roots.files(paths)
        outcome = read(
            files,
            self._free("read"),
            masks=[f"{term}={self.roots.file(name)}" for term, name in (masks or {}).items()],
            prior=self.roots.file(prior) if prior else None,
            clinical=clinical,
            only=only,
            language=language,
            progress=tell,
        )
        report = outcome.report
        pictures: Pictures = []
        seen: dict[str, str] = {}
        if not outcome.is_degraded:
            study = recognise_study(read_study(files))
            for image in [image for image in study.images if _is_drawable(image)][:_MOST_PICTURES]:
                layers = layers_of(report.findings, image)
                largest = max(layers, key=lambda layer: (layer.colour == LESION, layer.mask.voxel_count), default=None)
                picture, visible = draw(
                    image, through(image, largest.mask) if largest else plane_of(image, None, None), layers
                )
                pictures.append(picture)
                seen |= {layer.label: layer.colour for layer in visible}
        answer = answers.ReadAnswer(
            sections={
                section.name: " ".join(sentence.text for sentence in section.sentences) for section in report.sections
            },
            findings=[answers.FindingFacts.of(finding) for finding in report.findings],
            models=[f"{model.name} {model.version}: {model.measured_on}" for model in report.models],
            folder=str(outcome.folder),
            files=sorted(outcome.files),
            legend=[answers.Legend(colour=colour, label=label) for label, colour in seen.items()],
            warnings=list(outcome.warnings),
            usable=not outcome.is_degraded,
            notice=report.notice,
        )
        return answer, pictures

    def segment(
        self, paths: Sequence[str], term: str, prompts: Sequence[answers.Stroke], *, image: str | None = None,
        propagate: bool = False, tell: Callable[[str], None] = lambda _message: None,
    ) -> tuple[answers.SegmentAnswer, Pictures]:  # fmt: skip
        """A structure by clicks, scribbles and boxes on slices as `view` draws them."""
        from groundglass.io import write_nifti
        from groundglass.segmentation.interactive import Session

        named = mask_name(term)
        shown = self._image(paths, image)
        if not prompts:
            raise InputError("prompts", "are none", "Give at least one click on the structure.")
        session: Session | None = None
        for number, stroke in enumerate(prompts, start=1):
            tell(f"prompt {number} of {len(prompts)}")
            chosen = plane_of(shown, stroke.plane, stroke.slice)
            session = session or Session(shown, axis=chosen.axis)
            apply_stroke(session, stroke, chosen)
        assert session is not None
        if propagate:
            session.propagate(lambda share: tell(f"propagating, {share:.0%}"))
        mask = Mask.of(session.mask, shown.affine)
        warnings: list[str] = []
        if mask.is_empty:
            raise InputError("prompts", "gave an empty mask", "Click inside the structure, or draw a scribble on it.")
        file = self._free(f"segment-{term}", ".nii.gz")
        write_nifti(mask, shown, file)
        last = prompts[-1]
        drawn = through(shown, mask) if last.slice is None else plane_of(shown, last.plane, last.slice)
        view, pictures = self._view(shown, drawn, [Layer(mask, PALETTE[0], named.term.name)], None)
        answer = answers.SegmentAnswer(
            term=named.term.name,
            mask=str(file),
            voxels=mask.voxel_count,
            measurements=measured(mask, shown, warnings),
            view=view,
            engine=f"{session.engine.citation.name} {session.engine.citation.version}",
            warnings=warnings,
        )
        return answer, pictures

    def measure(
        self, paths: Sequence[str], mask: str, *, image: str | None = None, label: int | None = None
    ) -> tuple[answers.MeasureAnswer, Pictures]:
        """Size, shape and values of a mask on an image."""
        shown = self._image(paths, image)
        warnings: list[str] = []
        given = self._mask(mask, shown, label, warnings)
        values = measured(given, shown, warnings)
        picture, _ = draw(shown, through(shown, given), [Layer(given, PALETTE[0], "mask")])
        answer = answers.MeasureAnswer(
            image=shown.name, voxels=given.voxel_count, measurements=values, warnings=warnings
        )
        return answer, [picture]

    def label(self, text: str, label_set: str, language: str) -> answers.LabelAnswer:
        """Labels of one report, with the words that gave them."""
        from groundglass.text import label, read_report

        report = read_report(text, language=language)
        found = label(report, label_set)
        evidence = []
        for name, answer in found.items():
            for finding in answer.findings:
                span = next((e.span for e in reversed(finding.evidence) if e.span), None)
                words = text[slice(*span)] if span else finding.what.name
                evidence.append(answers.Evidence(label=name, words=words, status=finding.status))
        return answers.LabelAnswer(
            set=label_set, labels={name: answer.number for name, answer in found.items()}, evidence=evidence
        )

    def compare(self, prediction: str, truth: str, kind: str, tolerance_mm: float | None) -> answers.CompareAnswer:
        """Masks or reports against the truth: a file each, or folders paired by name."""
        from groundglass.app.compare.kind import Kind
        from groundglass.app.compare.reports import Reports
        from groundglass.app.compare.run import document_of
        from groundglass.app.compare.seg import Segmentation
        from groundglass.app.compare.settings import Settings

        made: Kind = Segmentation(tolerance_mm=tolerance_mm) if kind == "masks" else Reports()
        settings = Settings(processes=1)
        files = self.roots.file(prediction), self.roots.file(truth)
        document = document_of(made, {"prediction": made.score(*files, settings)}, settings, files[1])
        shown = [*document["summaries"], *document["figures"]]
        scores = [
            answers.Score(
                metric=row["title"],
                label=row["label"],
                n=row["n"],
                mean=_finite(row.get("mean", row.get("value"))),
                low=_finite(row["low"]),
                high=_finite(row["high"]),
                unit=row["unit"],
                higher_is_better=made.measure(row["metric"]).higher_is_better,
            )
            for row in shown
        ]
        failures = {f["case"]: f["reason"] for method in document["methods"] for f in method["failures"]}
        return answers.CompareAnswer(
            scores=scores,
            conventions={name: str(value) for name, value in document["conventions"].items()},
            failures=failures,
            warnings=list(document["warnings"]),
        )

    def _study(self, paths: Sequence[str]) -> Study:
        from groundglass.io import read_study

        return read_study(self.roots.files(paths))

    def _image(self, paths: Sequence[str], name: str | None) -> Image:
        """The image of a name, or the only one."""
        images = self._study(paths).images
        names = ", ".join(image.name for image in images)
        chosen = [image for image in images if name is None or image.name == name]
        if len(chosen) != 1:
            problem = f"there are {len(images)} images" if name is None else f"image {name} is not there"
            raise ConfigurationError("image", problem, f"Name one of {names}.")
        if not _is_drawable(chosen[0]):
            raise ConfigurationError(chosen[0].name, "has more axes than a picture or a volume", "Choose another.")
        return chosen[0]

    def _mask(self, name: str, image: Image, label: int | None, warnings: list[str]) -> Mask:
        from groundglass.io import read_mask

        return read_mask(self.roots.file(name), like=image, label=label, warn=warnings.append)

    def _view(
        self, image: Image, plane: Plane, layers: Sequence[Layer], limits: tuple[float, float] | None
    ) -> tuple[answers.View, Pictures]:
        black, white = limits or window(image)
        picture, visible = draw(image, plane, layers, limits=(black, white))
        view = answers.View(
            image=image.name,
            plane=plane.name,
            slice=plane.index,
            slices=planes_of(image)[plane.name],
            width=plane.size[0],
            height=plane.size[1],
            letters=list(plane.letters),
            black=black,
            white=white,
            legend=[answers.Legend(colour=layer.colour, label=layer.label) for layer in visible],
        )
        return view, [picture]

    def _free(self, stem: str, suffix: str = "") -> Path:
        """A path in the output folder that nothing has yet."""
        name = "".join(c if c.isalnum() else "-" for c in stem.lower())
        number = 1
        while (path := self.out / f"{name}-{number}{suffix}").exists():
            number += 1
        return path


def _is_drawable(image: Image) -> bool:
    return image.is_volume or len(image.shape) == 2 + (image.time_axis is not None)


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None
