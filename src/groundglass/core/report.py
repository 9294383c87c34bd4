"""A report: sections of sentences, and the findings that each sentence states."""

from __future__ import annotations

from dataclasses import dataclass, field

from groundglass.core.finding import Finding
from groundglass.core.reading import ModelCitation

DRAFT_NOTICE = (
    "Draft for a qualified reader. Made by software that is not a medical device; every statement needs review."
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence and the ids of the findings that it states (many to many)."""

    text: str
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """`name` is one of indication, technique, comparison, findings, impression, limitations, or free."""

    name: str
    sentences: tuple[Sentence, ...] = ()
    heading: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What is handed to the reader. `findings` holds every finding that a sentence may name."""

    sections: tuple[Section, ...]
    findings: tuple[Finding, ...] = ()
    language: str = "en"
    title: str = ""
    models: tuple[ModelCitation, ...] = ()
    notice: str = field(default=DRAFT_NOTICE)

    def section(self, name: str) -> Section | None:
        """The first section of this name, else None."""
        return next((s for s in self.sections if s.name == name), None)

    def finding(self, finding_id: str) -> Finding | None:
        """The finding with this id, else None."""
        return next((f for f in self.findings if f.id == finding_id), None)

    @property
    def text(self) -> str:
        """Plain text: headings in capitals, one paragraph per section."""
        parts = [self.title] if self.title else []
        for section in self.sections:
            body = " ".join(sentence.text for sentence in section.sentences)
            parts.append(f"{(section.heading or section.name).upper()}\n{body}")
        return "\n\n".join([*parts, self.notice]) + "\n"
