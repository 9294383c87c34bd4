"""`compare reports`: folders, tables and DICOM SR; words, findings and judges, the built-in one and a real endpoint."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from compare_cases import compare, document, problem, save_table, summary, values

REFERENCES = {
    "sub-1_a": "Small left pleural effusion. No pneumothorax. Heart size is normal.",
    "sub-1_b": "Right lower lobe consolidation. No pleural effusion.",
    "sub-2_a": "Clear lungs. No pleural effusion or pneumothorax.",
    "sub-3_a": "Large right pneumothorax. Endotracheal tube in satisfactory position.",
}
CANDIDATES = {
    "sub-1_a": "Small right pleural effusion. No pneumothorax.",
    "sub-1_b": "Right lower lobe consolidation. No pleural effusion.",
    "sub-2_a": "Clear lungs. No pleural effusion or pneumothorax.",
    "sub-3_a": "Clear lungs.",
}


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for name, reports in (("p", CANDIDATES), ("t", REFERENCES)):
        (tmp_path / name).mkdir()
        for case, text in reports.items():
            (tmp_path / name / f"{case}.txt").write_text(text)
    return tmp_path / "p", tmp_path / "t"


def test_words_findings_and_the_built_in_judge(folders: tuple[Path, Path]) -> None:
    from groundglass.metrics.text_overlap import coco_bleu

    result = document("reports", *folders)
    assert values(result, "bleu-4", "words")["sub-2_a"] == pytest.approx(1)
    corpus = coco_bleu(list(CANDIDATES.values()), list(REFERENCES.values())).corpus
    line = next(figure for figure in result["figures"] if figure["metric"] == "bleu-4")
    assert line["value"] == pytest.approx(corpus[3])
    assert line["low"] < line["value"] < line["high"]
    assert (line["n"], line["patients"]) == (4, 3)
    assert values(result, "graph_f1", "findings")["sub-2_a"] == 1
    errors = values(result, "errors_significant", "builtin")
    assert errors["sub-2_a"] == errors["sub-1_b"] == 0
    assert errors["sub-1_a"] > 0
    assert errors["sub-3_a"] > 0
    assert values(result, "green", "builtin")["sub-1_b"] == 1
    assert values(result, "radfact_f1", "builtin")["sub-2_a"] == 1
    assert values(result, "radfact_recall", "builtin")["sub-3_a"] < 1
    assert not [row for row in result["rows"] if row["metric"].startswith("grounding")]
    assert document("reports", *folders, "--processes", 2)["rows"] == result["rows"]


def test_tables_text_columns_and_paired_tests(tmp_path: Path) -> None:
    rows = [[case, case[:5], text] for case, text in REFERENCES.items()]
    t = save_table(tmp_path / "t.csv", ["study_id", "patient_id", "findings"], rows)
    p = save_table(tmp_path / "p.csv", ["study_id", "said"], CANDIDATES.items())
    assert "has no column report or text" in problem("reports", p, t)
    assert document("reports", p, p, "--text-column", "said", "--metrics", "bleu-1")["summaries"][0]["mean"] > 0.999
    q = save_table(tmp_path / "q.csv", ["study_id", "report"], REFERENCES.items())
    p = save_table(tmp_path / "p.csv", ["study_id", "report"], CANDIDATES.items())
    result = document("reports", p, t, "--against", q, "--metrics", "rouge-l,green")
    test = next(test for test in result["tests"] if test["metric"] == "rouge-l")
    assert test["difference"] < 0
    assert summary(result, "green", method="q.csv")["mean"] == 1


def test_clinical_f1_of_label_sets(folders: tuple[Path, Path], tmp_path: Path) -> None:
    from groundglass.metrics.reports import CHEXPERT_5, CHEXPERT_14, clinical_f1
    from groundglass.text import label

    q = tmp_path / "q"
    q.mkdir()
    for case, text in REFERENCES.items():
        (q / f"{case}.txt").write_text("Clear lungs." if case == "sub-1_b" else text)
    metrics = ("--metrics", "label_f1_micro,label_f1_macro,label_f1", "--judge", "none")
    sets = ("--labels", "chexpert14,nih14,chexpert5")
    result = document("reports", *folders, "--against", q, *metrics, *sets)

    def expected(reports: dict[str, str], name: str, labels: tuple[str, ...]):  # type: ignore[no-untyped-def]
        said, true = (
            {case: {k: v.number for k, v in label(text, name).items()} for case, text in texts.items()}
            for texts in (reports, REFERENCES)
        )
        return clinical_f1(said, true, labels=labels)

    others = {case: (q / f"{case}.txt").read_text() for case in REFERENCES}
    nih = tuple(name for name in label("", "nih14") if name != "No Finding")
    for shown, name, labels in (
        ("chexpert14", "chexpert14", CHEXPERT_14[:-1]), ("chexpert5", "chexpert14", CHEXPERT_5), ("nih14", "nih14", nih)
    ):  # fmt: skip
        first, second = expected(CANDIDATES, name, labels), expected(others, name, labels)
        for mean in ("micro", "macro"):
            a, b = getattr(first, mean).f1, getattr(second, mean).f1
            line = summary(result, f"label_f1_{mean}", shown, "p")
            assert line["value"] == pytest.approx(a)
            assert line["low"] <= line["value"] <= line["high"]
            assert summary(result, f"label_f1_{mean}", shown, "q")["value"] == pytest.approx(b)
            test = next(t for t in result["tests"] if (t["label"], t["metric"]) == (shown, f"label_f1_{mean}"))
            assert test["difference"] == pytest.approx(a - b)
            assert (test["n"], test["patients"], test["p"]) == (4, 3, {})
            assert test["low"] <= test["difference"] <= test["high"]
        for each, score in first.by_label.items():
            value = summary(result, "label_f1", f"{shown}: {each}", "p")["value"]
            assert value == score.f1 or (value is None and score.support == 0)  # in neither text of any case
    assert summary(result, "label_f1_micro", "chexpert14", "p")["note"] == "13 labels, 4 in the truth"
    assert "is not a label set" in problem("reports", *folders, "--labels", "chexpert13")
    assert "chexpert14" in compare("reports", *folders, "--judge", "none").stdout


@pytest.fixture(scope="module")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT with random weights that knows the words of the reports."""
    torch = pytest.importorskip("torch")
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("tiny-bert")
    words = sorted({word.strip(".").lower() for text in REFERENCES.values() for word in text.split()})
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", *words]
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=64).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24,
        max_position_embeddings=64,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    return folder


def test_bertscore_by_an_encoder_in_a_folder(folders: tuple[Path, Path], tiny_bert: Path) -> None:
    from groundglass.metrics.text_overlap import BertScorer

    (folders[0] / "sub-3_a.txt").unlink()
    options = ("--encoder", tiny_bert, "--encoder-layer", 1, "--judge", "none", "--allow-missing", "worst")
    result = document("reports", *folders, *options, "--metrics", "bertscore_precision,bertscore_recall,bertscore")
    candidates = ["" if case == "sub-3_a" else text for case, text in CANDIDATES.items()]
    expected = BertScorer(tiny_bert, layer=1).score(candidates, list(REFERENCES.values()))
    for metric, column in (("_precision", "precision"), ("_recall", "recall"), ("", "f1")):
        found = values(result, f"bertscore{metric}", "encoder")
        assert found == pytest.approx(dict(zip(CANDIDATES, getattr(expected, column), strict=True)))
        assert (found["sub-2_a"], found["sub-3_a"]) == (pytest.approx(1), 0)
    assert result["conventions"]["encoder"] == f"{tiny_bert}, layer 1, not rescaled"
    usual = compare("reports", *folders, *options)
    assert "BERTScore F1" in usual.stdout
    assert "BERTScore" not in compare("reports", *folders, "--judge", "none", "--allow-missing", "worst").stdout


def test_encoders_that_cannot_be_had(
    folders: tuple[Path, Path], tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ("--metrics", "bertscore", "--judge", "none")
    assert "needs an encoder" in problem("reports", *folders, *asked)
    assert "has no layer 9" in problem("reports", *folders, *asked, "--encoder", tiny_bert, "--encoder-layer", 9)
    assert "cannot be loaded" in problem("reports", *folders, *asked, "--encoder", tiny_bert / "nothing")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # its environment variable, read on import
    text = problem("reports", *folders, *asked, "--encoder", "nobody/no-such-encoder")
    assert "nobody/no-such-encoder: cannot be loaded as a text encoder" in text


def test_missing_empty_and_double_reports(folders: tuple[Path, Path], tmp_path: Path) -> None:
    prediction, truth = folders
    (prediction / "sub-2_a.txt").unlink()
    assert "no prediction for 1 case(s): sub-2_a" in problem("reports", prediction, truth)
    metrics = "rouge-l,radfact_precision,green,errors_all"
    assert (
        summary(document("reports", prediction, truth, "--allow-missing", "skip", "--metrics", metrics), "green")["n"]
        == 3
    )
    worst = document("reports", prediction, truth, "--allow-missing", "worst", "--metrics", metrics)
    for metric, label in (("rouge-l", "words"), ("radfact_precision", "builtin"), ("green", "builtin")):
        assert values(worst, metric, label)["sub-2_a"] == 0
    (prediction / "sub-2_a.txt").write_text(" \n")
    assert "sub-2_a.txt: is empty" in problem("reports", prediction, truth)
    t = save_table(tmp_path / "t.csv", ["case", "report"], [["a", "Clear."], ["a", "Clear."]])
    assert "has case a twice" in problem("reports", t, t)
    assert "is not a metric here" in problem("reports", prediction, truth, "--metrics", "bleu-9")


def test_grounded_phrases(tmp_path: Path) -> None:
    reference = [
        {"text": "Right pneumothorax.", "boxes": [[0.1, 0.1, 0.4, 0.4]]},
        {"text": "No effusion.", "boxes": []},
    ]
    moved = [{"text": "Right pneumothorax.", "boxes": [[0.6, 0.6, 0.9, 0.9]]}, {"text": "No effusion."}]
    for name, phrases in (("t", reference), ("p", moved), ("q", reference)):
        (tmp_path / f"{name}.json").write_text(json.dumps([{"case": "a", "phrases": phrases}]))
    wrong = document("reports", tmp_path / "p.json", tmp_path / "t.json")
    assert values(wrong, "radfact_f1", "builtin") == {"a": 1}
    assert values(wrong, "spatial_precision", "builtin") == {"a": 0}
    right = document("reports", tmp_path / "q.json", tmp_path / "t.json")
    assert values(right, "spatial_precision", "builtin") == {"a": 1}
    (tmp_path / "p.json").write_text('[{"case": "a", "phrases": ["x"]}]')
    assert "has phrases of another form" in problem("reports", tmp_path / "p.json", tmp_path / "t.json")


class _Model(BaseHTTPRequestHandler):
    """A model that finds every statement entailed, never an error, one matched finding; and counts what it is asked."""

    asked: list[str]
    broken: tuple[str, ...] = ()
    """What holds one of these words gets no usable answer."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        schema = body["response_format"]["json_schema"]["name"]
        type(self).asked.append(schema)
        kinds = ("false_finding", "omitted_finding", "wrong_location", "wrong_severity", "false_comparison",
                 "omitted_comparison")  # fmt: skip
        none = {"significant": {kind: [] for kind in kinds}, "insignificant": {kind: [] for kind in kinds}}
        answers = {
            "entailment": {"verdict": "entailed", "evidence": [1], "note": ""},
            "errors": none,
            "green": {"matched": ["lungs"], **none},
        }
        reply = json.dumps(answers[schema]) if schema in answers else '{"wrong": 1}'
        if schema == "phrases":
            last = body["messages"][-1]["content"].strip().splitlines()[-1]
            reply = json.dumps({"phrases": [part.strip() + "." for part in last.split(".") if part.strip()]})
        if any(words in message["content"] for words in self.broken for message in body["messages"]):
            reply = "I would rather not say."
        content = json.dumps(
            {
                "choices": [{"message": {"role": "assistant", "content": reply}}],
                "usage": {"prompt_tokens": 7, "completion_tokens": 3},
            }
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Silence."""


@pytest.fixture
def endpoint() -> Iterator[tuple[str, list[str]]]:
    _Model.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Model)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1", _Model.asked
    server.shutdown()
    server.server_close()


def test_an_endpoint_its_transcripts_and_the_disagreement(
    folders: tuple[Path, Path], endpoint: tuple[str, list[str]], tmp_path: Path
) -> None:
    from groundglass.metrics.judge import EndpointJudge, error_disagreement
    from groundglass.metrics.reports import RuleJudge
    from groundglass.text import read_findings

    address, asked = endpoint
    judges = ("--judge", "builtin", "--judge", address, "--model", "tiny", "--transcripts", tmp_path / "store.sqlite")
    metrics = ("--metrics", "radfact_f1,errors_significant,green")
    result = document("reports", *folders, *judges, *metrics)
    assert set(values(result, "errors_significant", "tiny").values()) == {0}
    assert set(values(result, "green", "tiny").values()) == {1}
    apart = values(result, "errors_significant", "| builtin - tiny |")
    assert apart == values(result, "errors_significant", "builtin")
    usage = result["methods"][0]["judges"][1]
    assert usage["requests"] == len(asked) > 0
    assert usage["failures"] == {}
    told = result["methods"][0]["disagreement"]
    rules, cases = RuleJudge(read_findings), list(REFERENCES)
    pairs = [(CANDIDATES[case], REFERENCES[case]) for case in cases]
    expected = error_disagreement(rules, EndpointJudge.recorded("tiny", tmp_path / "store.sqlite"), pairs)
    assert (told["first"], told["second"]) == ("builtin", "tiny")
    assert [row["category"] for row in told["categories"]] == [one.category for one in expected.categories]
    for row, one in zip(told["categories"], expected.categories, strict=True):
        numbers = (one.n, one.agreement, one.first_mean, one.second_mean, one.mean_difference)
        found = (row["n"], row["agreement"], row["first_mean"], row["second_mean"], row["mean_difference"])
        assert found == pytest.approx(numbers)
        assert row["kappa"] == (None if math.isnan(one.kappa) else pytest.approx(one.kappa))
        assert row["differing"] == [cases[n] for n in one.differing]
    assert set(told["categories"][0]["differing"]) == {"sub-1_a", "sub-3_a"}
    before = len(asked)
    again = document("reports", *folders, *judges, *metrics)
    assert len(asked) == before
    assert again["rows"] == result["rows"]
    shown = compare("reports", *folders, *judges, *metrics).stdout
    assert "error, builtin and tiny" in shown
    assert "significant omitted finding" in shown
    words = document("reports", *folders, *judges, "--metrics", "green")
    assert "disagreement" not in words["methods"][0]


def test_an_unreadable_answer_counts_as_unanswered(
    folders: tuple[Path, Path], endpoint: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Model, "broken", ("Clear lungs.",))
    judges = ("--judge", "builtin", "--judge", endpoint[0], "--model", "tiny", "--metrics", "errors_all")
    told = document("reports", *folders, *judges)["methods"][0]["disagreement"]
    assert (told["unanswered_by_first"], told["unanswered_by_second"]) == ([], ["sub-2_a", "sub-3_a"])
    assert {row["n"] for row in told["categories"]} == {2}


def test_judges_that_cannot_be_had(folders: tuple[Path, Path]) -> None:
    assert "is no judge" in problem("reports", *folders, "--judge", "me")
    assert "needs the name of a model" in problem("reports", *folders, "--judge", "http://127.0.0.1:9")
    text = problem("reports", *folders, "--judge", "http://127.0.0.1:9/v1", "--model", "m")
    assert "cannot be reached" in text
    words = document("reports", *folders, "--judge", "none")
    assert {row["label"] for row in words["summaries"]} == {"words", "findings"}


def test_report_folders_of_read_and_single_files(tmp_path: Path) -> None:
    from groundglass.app.outputs import report_document
    from groundglass.core import Report, Section, Sentence, Study

    for name in ("p", "t"):
        (tmp_path / name / "study1").mkdir(parents=True)
        report = Report((Section("findings", (Sentence("Clear lungs."), Sentence("No effusion."))),), ())
        written = json.dumps(report_document(report, Study(())))
        (tmp_path / name / "study1" / "report.json").write_text(written)
    result = document("reports", tmp_path / "p", tmp_path / "t", "--metrics", "bleu-1")
    assert values(result, "bleu-1", "words") == {"study1": pytest.approx(1)}
    (tmp_path / "a.txt").write_text("Clear lungs. No effusion.")
    single = document("reports", tmp_path / "a.txt", tmp_path / "t" / "study1" / "report.json", "--metrics", "rouge-l")
    assert list(values(single, "rouge-l", "words").values()) == [pytest.approx(1)]
    shown = compare("reports", tmp_path / "p", tmp_path / "t", "--judge", "none")
    assert "METEOR (exact, stem)" in shown.stdout
