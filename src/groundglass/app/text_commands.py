"""Commands for single reports and patients: a filled form, a timeline, a scene graph."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

if TYPE_CHECKING:
    from groundglass.text.structured import Form
    from groundglass.text.timeline import PatientTimeline

Language = Annotated[str, typer.Option("--lang", help="en, it, ja, zh or auto.")]
File = Annotated[Optional[Path], typer.Option("-o", "--out", help="File to write, else stdout.")]  # noqa: UP045
Json = Annotated[bool, typer.Option("--json", help="Print machine-readable JSON on stdout.")]
_PATHS = "A report as text, HTML, RTF or HL7."


def structure(
    report: Annotated[Path, typer.Argument(help=_PATHS)],
    template: Annotated[
        str, typer.Option(help="chest-xray, lymphoma-ct, brain-mr, or a JSON or YAML file of your own.")
    ] = "chest-xray",
    model: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="A T5 that answers the form's questions, by name or local folder, in the rules' place."),
    ] = None,
    fhir: Annotated[bool, typer.Option("--fhir", help="A FHIR QuestionnaireResponse instead of the form.")] = False,
    language: Language = "en",
    out: File = None,
    json: Json = False,
) -> None:
    """Fill a structured form from a free-text report, each answer with the words that it rests on."""
    from groundglass.text import structured
    from groundglass.text.languages import resolved

    text = _text(report)
    language = resolved(language, text)
    if model is None:
        form = structured.fill(_template(template), text, language=language)
    else:
        from groundglass.report.generation.form_answers import load_answer_model

        answers = load_answer_model(model)
        form = structured.ask(_template(template), text, answers, language=language, count=answers.count)
    if fhir:
        _write(_dumps(structured.to_response(form, language=language)), out)
    elif json or out is not None:
        _write(_dumps(structured.to_dict(form)), out)
    else:
        _write(_form_lines(form), None)


def timeline(
    patient: Annotated[Path, typer.Argument(help="Folder of one patient's dated reports, or a CSV: date, report.")],
    csv: Annotated[bool, typer.Option("--csv", help="One line per statement, as CSV.")] = False,
    language: Language = "en",
    out: File = None,
    json: Json = False,
) -> None:
    """One patient's findings over time: first seen, new, persisting, resolved, recurrent."""
    from groundglass.text import timeline as room

    found = room.patient_timeline(room.read_folder(patient), language=language)
    if csv:
        _write(room.to_csv(found), out)
    elif json or out is not None:
        _write(_dumps(room.to_dict(found)), out)
    else:
        _write(_course_lines(found), None)


def graph(
    report: Annotated[Path, typer.Argument(help=f"{_PATHS} Of a chest radiograph.")],
    prior: Annotated[Optional[Path], typer.Option(help="Report of the exam before.")] = None,  # noqa: UP045
    image: Annotated[Optional[str], typer.Option(help="Id of the image, else the file's name.")] = None,  # noqa: UP045
    stated: Annotated[
        bool,
        typer.Option("--stated", help="Only the places that the report speaks of, without their wholes and parts."),
    ] = False,
    radiograph: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="The radiograph itself: its places get boxes."),
    ] = None,
    rdf: Annotated[bool, typer.Option("--rdf", help="N-Triples instead of JSON.")] = False,
    language: Language = "en",
    out: File = None,
) -> None:
    """The anatomy-centred scene graph of a chest radiograph report, in the layout of Chest ImaGenome."""
    from groundglass.text import graph as room
    from groundglass.text import read_report

    def made(path: Path, order: int, name: str) -> room.SceneGraph:
        whole = room.scene_graph(read_report(_text(path), language=language), room.Exam(name, path.stem, order=order))
        return whole if stated else room.propagated(whole)

    found = made(report, 2 if prior else 1, image or report.stem)
    if prior is not None:
        found = room.with_comparisons(found, made(prior, 1, prior.stem))
    if radiograph is not None:
        from groundglass.io import read_image
        from groundglass.reading import radiograph_places

        picture = read_image(radiograph)
        found = room.with_boxes(found, radiograph_places(picture), (picture.shape[0], picture.shape[1]))
    _write(room.to_triples(found) if rdf else _dumps(room.to_json(found)), out)


def _template(name: str) -> Any:
    from groundglass.text import structured

    path = Path(name)
    return (
        structured.template_file(path)
        if path.suffix.lower() in (".json", ".yaml", ".yml")
        else structured.template(name)
    )


def _text(path: Path) -> str:
    from groundglass.core import InputError
    from groundglass.text import decode_report

    try:
        return decode_report(path.read_bytes(), str(path))
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})", "Give the file of one report.") from error


def _write(text: str, out: Path | None) -> None:
    if out is None:
        typer.echo(text, nl=not text.endswith("\n"))
        return
    from groundglass.io.atomic import write_text_atomic

    write_text_atomic(out, text if text.endswith("\n") else f"{text}\n")


def _dumps(data: Any) -> str:
    from json import dumps

    return dumps(data, indent=1, ensure_ascii=False)


def _form_lines(form: Form) -> str:
    lines, section = [], ""
    for item, answer in form:
        if answer.status == "not reported":
            continue
        if item.section != section:
            section = item.section
            lines.append(section)
        value = " ".join(part for part in (answer.value or "?", answer.unit) if part)
        doubt = f" [{answer.status}]" if answer.status != "filled" else ""
        lines.append(f"  {item.id}: {value}{doubt}")
    open_items = sum(answer.status == "not reported" for _, answer in form)
    lines.append(f"{open_items} of {sum(1 for _ in form)} items are not reported.")
    return "\n".join(lines)


def _course_lines(found: PatientTimeline) -> str:
    from groundglass.text.timeline import course

    lines = []
    for line in course(found):
        lines.append(line.group)
        for state in line.states:
            size = f"{state.size_mm:g} mm" if state.size_mm is not None else ""
            growth = f"({state.growth_mm:+g})" if state.growth_mm is not None else ""
            hedge = "" if state.certain else "uncertain"
            parts = (
                state.date,
                state.change,
                hedge,
                state.severity,
                size,
                growth,
                state.stated and f"said: {state.stated}",
            )
            doubt = f" [{state.doubt}]" if state.doubt else ""
            lines.append("  " + " ".join(part for part in parts if part) + doubt)
    return "\n".join(lines) or "No findings."
