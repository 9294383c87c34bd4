"""`groundglass mcp` as a client of the official SDK meets it, over stdin and stdout."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import nibabel
import numpy as np
import pytest
from PIL import Image as Picture

pytest.importorskip("mcp", reason="needs the MCP SDK: pip install 'groundglass[mcp]'")

from mcp import Client, StdioServerParameters, stdio_client

from groundglass.app.mcp.pictures import plane_of
from groundglass.core import Image
from orthanc import free_port

AFFINE = np.array([[-2.0, 0, 0, 40], [0, 2.0, 0, -40], [0, 0, 3.0, -20], [0, 0, 0, 1]])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A volume with one bright ball, its mask, a report, and a secret outside."""
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    grid = np.stack(np.indices((40, 40, 16)))
    distance = np.linalg.norm(
        (grid - np.array([12, 25, 8]).reshape(3, 1, 1, 1)) * np.array([2, 2, 3]).reshape(3, 1, 1, 1), axis=0
    )
    ball = distance < 12
    noise = np.random.default_rng(0).normal(0, 4, ball.shape)
    nibabel.save(nibabel.Nifti1Image((100 + 100 * ball + noise).astype(np.float32), AFFINE), allowed / "ball.nii.gz")
    nibabel.save(nibabel.Nifti1Image(ball.astype(np.uint8), AFFINE), allowed / "truth.nii.gz")
    (tmp_path / "secret.nii.gz").write_bytes((allowed / "ball.nii.gz").read_bytes())
    (allowed / "linked").mkdir()
    (allowed / "linked" / "away.nii.gz").symlink_to(tmp_path / "secret.nii.gz")
    return allowed


def with_client(folder: Path, talk: Callable[[Client], Awaitable[Any]]) -> Any:
    """What `talk` makes of a session with a server of its own."""
    arguments = ["-m", "groundglass", "mcp", str(folder), "--out", str(folder.parent / "out")]
    server = StdioServerParameters(command=sys.executable, args=arguments)

    async def session() -> Any:
        with anyio.fail_after(180):
            async with Client(stdio_client(server)) as client:
                return await talk(client)

    return anyio.run(session)


async def answer(client: Client, tool: str, **arguments: Any) -> tuple[dict[str, Any], list[Picture.Image]]:
    """The structured answer of a tool, which the client checked against its schema, and its pictures."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content[0]
    blocks = [block for block in result.content if block.type == "image"]
    assert all(block.mime_type == "image/png" for block in blocks)
    text = next(block.text for block in result.content if block.type == "text")
    assert json.loads(text).keys() <= result.structured_content.keys()
    return result.structured_content, [Picture.open(io.BytesIO(base64.b64decode(b.data))) for b in blocks]


async def refusal(client: Client, tool: str, **arguments: Any) -> str:
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    return str(result.content[0].text)


def test_a_client_lists_and_calls_the_tools(folder: Path) -> None:
    """Look, point, measure and score, as a model would."""

    async def talk(client: Client) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == {
            "capabilities", "list_models", "info", "view", "read", "segment", "measure", "label", "compare",
        }  # fmt: skip
        assert all(tool.output_schema and tool.description for tool in tools.values())
        assert tools["view"].annotations.read_only_hint and not tools["read"].annotations.read_only_hint

        facts, thumbnails = await answer(client, "info", paths=["ball.nii.gz"])
        (image,) = facts["images"]
        assert image["shape"] == [40, 40, 16] and image["planes"]["axial"] == 16
        assert len(thumbnails) == 1 and max(thumbnails[0].size) == 224

        view, (picture,) = await answer(client, "view", paths=["ball.nii.gz"], plane="axial", slice=8)
        assert picture.size == (view["width"], view["height"])
        assert view["letters"] == ["R", "L", "A", "P"]
        # The ball is the brightest thing on the picture: that is where a model would click.
        rows, columns = np.nonzero(np.asarray(picture) > 180)
        x, y = float(columns.mean()), float(rows.mean())
        assert x < view["width"] / 2  # it lies at x = +16 mm, in the patient's right
        told: list[str] = []

        async def progress(_done: float, _total: float | None, message: str | None) -> None:
            told.append(message or "")

        result = await client.call_tool(
            "segment",
            {
                "paths": ["ball.nii.gz"],
                "term": "liver lesion",
                "propagate": True,
                "prompts": [
                    {"kind": "click", "points": [[x, y]], "plane": "axial", "slice": 8},
                    {"kind": "click", "points": [[20, 20]], "positive": False, "plane": "axial", "slice": 8},
                ],
            },
            progress_callback=progress,
        )
        assert not result.is_error, result.content
        drawn = result.structured_content
        assert any("propagating" in message for message in told)
        assert {value["kind"] for value in drawn["measurements"]} >= {"volume", "long axis"}
        assert drawn["view"]["legend"] == [{"colour": "#56b4e9", "label": "liver lesion"}]

        scores, _ = await answer(client, "compare", prediction=drawn["mask"], truth="truth.nii.gz")
        dice = next(score for score in scores["scores"] if score["metric"] == "Dice")
        assert dice["mean"] > 0.7 and dice["n"] == 1

        sizes, (shown,) = await answer(client, "measure", paths=["ball.nii.gz"], mask="truth.nii.gz")
        volume = next(value for value in sizes["measurements"] if value["kind"] == "volume")
        assert volume["unit"] == "mL" and volume["value"] == pytest.approx(4 / 3 * np.pi * 1.2**3, rel=0.05)
        mean = next(value for value in sizes["measurements"] if value["kind"] == "mean of the values")
        assert mean["value"] == pytest.approx(200, abs=1)
        assert len(set(shown.convert("RGB").getdata())) > 256  # the mask is drawn in colour

        labels, _ = await answer(client, "label", text="Small left pleural effusion. No pneumothorax.")
        assert labels["labels"]["Pleural Effusion"] == 1 and labels["labels"]["Pneumothorax"] == 0
        assert any("effusion" in evidence["words"] for evidence in labels["evidence"])

        cards, _ = await answer(client, "list_models")
        radiograph = next(card for card in cards["models"] if card["name"] == "radiograph")
        assert "heart" in radiograph["terms"] and "chest radiograph" in radiograph["overview"]

        able, _ = await answer(client, "capabilities")
        assert str(folder) in able["folders"] and able["verbs"]["mcp"]["available"] is True

    with_client(folder, talk)


def test_errors_are_for_the_model_to_mend(folder: Path) -> None:
    async def talk(client: Client) -> None:
        for path in ("../secret.nii.gz", str(folder.parent / "secret.nii.gz"), "linked", "absent.nii", "/etc/passwd"):
            said = await refusal(client, "info", paths=[path])
            assert "allowed folders" in said and "InputError" in said, path
        assert "Name one of ball, truth" in await refusal(client, "view", paths=["ball.nii.gz", "truth.nii.gz"])
        assert "axial, coronal, sagittal" in await refusal(client, "view", paths=["ball.nii.gz"], plane="oblique")
        assert "0 to 15" in await refusal(client, "view", paths=["ball.nii.gz"], plane="axial", slice=99)
        unknown = await refusal(
            client, "segment", paths=["ball.nii.gz"], term="phlogiston", prompts=[{"points": [[9, 9]]}]
        )
        assert "not a term" in unknown
        outside = await refusal(
            client, "segment", paths=["ball.nii.gz"], term="liver", prompts=[{"points": [[9000, 9]], "plane": "axial"}]
        )
        assert "outside" in outside
        assert "chexpert14" in await refusal(client, "label", text="x", label_set="no-such-set")
        wrong = await refusal(client, "compare", prediction="ball.nii.gz", truth="truth.nii.gz", kind="dreams")
        assert "masks" in wrong

    with_client(folder, talk)


def test_a_study_is_read_with_pictures_of_what_was_found(tmp_path: Path) -> None:
    from groundglass.app.sample import write_sample

    write_sample("radiograph", tmp_path / "chest.png")

    async def talk(client: Client) -> None:
        read, (picture,) = await answer(client, "read", paths=["chest.png"], clinical="Cough.", only=["heart", "lung"])
        assert read["usable"] and "not a medical device" in read["notice"]
        assert "Cough" in read["sections"]["indication"]
        assert any(
            finding["what"] == "cardiomegaly" and len(finding["measurements"]) == 3 for finding in read["findings"]
        )
        assert "report.json" in read["files"] and (Path(read["folder"]) / "report.json").is_file()
        colours = {entry["label"]: entry["colour"] for entry in read["legend"]}
        assert colours["left lung"] == colours["right lung"] != colours["heart"]
        # The colours of the legend are on the picture, exactly.
        present = {f"#{r:02x}{g:02x}{b:02x}" for r, g, b in picture.convert("RGB").getdata()}
        assert set(colours.values()) <= present
        # What one tool wrote, the next may read.
        mask = next(name for name in read["files"] if "heart" in name)
        sizes, _ = await answer(client, "measure", paths=["chest.png"], mask=f"{read['folder']}/{mask}")
        assert sizes["voxels"] > 1000

    with_client(tmp_path, talk)


def test_the_same_tools_over_http(folder: Path) -> None:
    port = free_port()
    arguments = [sys.executable, "-m", "groundglass", "mcp", str(folder), "--http", str(port)]
    process = subprocess.Popen(
        arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )

    async def session() -> None:
        with anyio.fail_after(60):
            while True:
                try:
                    await (await anyio.connect_tcp("127.0.0.1", port)).aclose()
                    break
                except OSError:
                    await anyio.sleep(0.1)
            async with Client(f"http://127.0.0.1:{port}/mcp") as client:
                facts, _ = await answer(client, "info", paths=["ball.nii.gz"])
                assert facts["images"][0]["name"] == "ball"

    try:
        anyio.run(session)
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_a_point_of_a_picture_is_the_voxel_under_it(plane: str) -> None:
    turned = np.array([[0, 2.0, 0, 5], [-1.5, 0, 0, 7], [0, 0, 3.0, -9], [0, 0, 0, 1]])
    image = Image.of(np.zeros((20, 30, 10)), turned)
    shown = plane_of(image, plane, 4)
    voxel = [3.0, 17.0, 6.0]
    assert shown.axis is not None
    voxel[shown.axis] = 4.0
    assert shown.under(shown.at(tuple(voxel))) == pytest.approx(voxel)
