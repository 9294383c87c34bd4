"""Segmentation engines: a real MONAI bundle with random weights, stand-ins for commands that are not installed."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from groundglass.core import ConfigurationError, GeometryError, Image, UnsafeInputError, ontology
from groundglass.core.mask_name import mask_name
from groundglass.models.engines import segment_with
from groundglass.models.engines.totalsegmentator import class_terms

AFFINE = np.array([[-1.5, 0.1, 0, 40], [0.1, 1.5, 0, -30], [0, 0, 3.0, 100], [0, 0, 0, 1]])


@pytest.fixture
def image() -> Image:
    rng = np.random.default_rng(0)
    array = (rng.normal(40, 20, (33, 29, 17))).astype(np.float32)
    array[8:20, 9:22, 4:12] += 300
    return Image.of(array, AFFINE, modality="CT", name="scan")


def stand_in(folder: Path, name: str, body: str) -> None:
    """An executable of this name that speaks the documented command line; it stands in for the real program."""
    path = folder / name
    path.write_text(f"#!{sys.executable}\nimport sys\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


TOTAL = """
import argparse, os, pathlib, numpy as np, nibabel as nib
p = argparse.ArgumentParser(); p.add_argument("-i"); p.add_argument("-o"); p.add_argument("--task")
a = p.parse_args()
assert a.task == "total" and os.environ["https_proxy"].startswith("http://127.0.0.1")
i = nib.load(a.i); x = np.asarray(i.dataobj); out = pathlib.Path(a.o); out.mkdir()
w = np.zeros(x.shape, np.uint8); w[:10] = 1
found = {"liver": x > 150, "kidney_left": w, "spleen": w * 0}
found |= {"rib_left_1": np.roll(w, 12, 0), "rib_left_2": np.roll(w, 20, 0)}
for n, m in found.items():
    nib.save(nib.Nifti1Image(np.asarray(m).astype(np.uint8), i.affine), out / f"{n}.nii.gz")
"""


def test_totalsegmentator_stand_in_gives_named_masks(tmp_path, monkeypatch, image) -> None:
    stand_in(tmp_path, "TotalSegmentator", TOTAL)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    said = []
    masks = segment_with("totalsegmentator", image, said.append)
    assert set(masks) == {"liver", "left kidney", "left rib"} and said
    assert np.array_equal(masks["liver"].array, image.array[0] > 150)
    # Slabs 12 to 21 and 20 to 29 overlap: 18 of the 33 layers.
    assert masks["left rib"].voxel_count == 18 * 29 * 17
    assert np.array_equal(masks["liver"].affine, image.affine)


def test_a_failing_command_is_a_typed_error_with_its_last_line(tmp_path, monkeypatch, image) -> None:
    stand_in(tmp_path, "TotalSegmentator", "sys.exit('weights not found')")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(ConfigurationError, match="weights not found"):
        segment_with("totalsegmentator", image)


def test_an_answer_on_another_grid_is_refused(tmp_path, monkeypatch, image) -> None:
    stand_in(tmp_path, "TotalSegmentator", TOTAL.replace("i.affine)", "np.eye(4))"))
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(GeometryError):
        segment_with("totalsegmentator", image)


def test_engines_that_are_not_there(tmp_path, monkeypatch, image) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError, match="not installed"):
        segment_with("totalsegmentator", image)
    with pytest.raises(ConfigurationError, match="is no engine"):
        segment_with(tmp_path, image)


def test_every_class_of_the_mapping_is_a_term() -> None:
    assert len(class_terms()) == 117
    for name, term in class_terms().items():
        found = mask_name(term)
        assert ontology().entry(found.term.name).kind in ("anatomy", "finding"), name
        assert ("left" in name.split("_")) == (found.side == "left"), name
        if found.side:
            assert ontology().entry(found.term.name).paired, name


def nnunet_folder(folder: Path, **changes) -> Path:
    (folder / "fold_0").mkdir(parents=True)
    (folder / "fold_0" / "checkpoint_final.pth").write_bytes(b"-")
    dataset = {
        "channel_names": {"0": "CT"},
        "labels": {"background": 0, "liver": 1, "liver_tumor": 2},
        "file_ending": ".nii.gz",
    }
    (folder / "dataset.json").write_text(json.dumps({**dataset, **changes}))
    (folder / "plans.json").write_text("{}")
    return folder


NNUNET = """
import argparse, pathlib, numpy as np, nibabel as nib
p = argparse.ArgumentParser()
for o in ("-i", "-o", "-m", "-device"): p.add_argument(o)
p.add_argument("-f", nargs="+"); a = p.parse_args()
assert a.f == ["0"] and a.device in ("cpu", "cuda")
i = nib.load(pathlib.Path(a.i) / "case_0000.nii.gz"); x = np.asarray(i.dataobj)
y = (x > 150).astype(np.uint8); y[10:12, 10:12, 5:7] = 2
nib.save(nib.Nifti1Image(y, i.affine), pathlib.Path(a.o) / "case.nii.gz")
"""


def test_nnunet_stand_in_gives_named_masks(tmp_path, monkeypatch, image) -> None:
    stand_in(tmp_path, "nnUNetv2_predict_from_modelfolder", NNUNET)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    masks = segment_with(nnunet_folder(tmp_path / "model"), image)
    assert set(masks) == {"liver", "liver lesion"} and masks["liver lesion"].voxel_count == 8


def test_nnunet_folders_that_cannot_run(tmp_path, monkeypatch, image) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError, match="not installed"):
        segment_with(nnunet_folder(tmp_path / "a"), image)
    with pytest.raises(ConfigurationError, match="expects 2 images"):
        segment_with(nnunet_folder(tmp_path / "b", channel_names={"0": "CT", "1": "PET"}), image)
    with pytest.raises(ConfigurationError, match="no label"):
        segment_with(nnunet_folder(tmp_path / "c", labels={"background": 0, "thing": 1}), image)
    empty = nnunet_folder(tmp_path / "d")
    (empty / "fold_0" / "checkpoint_final.pth").unlink()
    with pytest.raises(ConfigurationError, match="has no fold"):
        segment_with(empty, image)


def bundle(folder: Path, **changes) -> Path:
    """A small real bundle: MONAI UNet with random weights, spacing and orientation changed and undone."""
    import torch
    from monai.networks.nets import UNet

    (folder / "configs").mkdir(parents=True)
    (folder / "models").mkdir()
    arguments = {"spatial_dims": 3, "in_channels": 1, "out_channels": 3, "channels": [4, 8], "strides": [2]}
    torch.manual_seed(0)
    torch.save({"model": UNet(**arguments).state_dict()}, folder / "models" / "model.pt")
    config = {
        "device": "$torch.device('cpu')",
        "spacing": [2.0, 2.0, 2.0],
        "network_def": {"_target_": "UNet", **arguments},
        "preprocessing": {
            "_target_": "Compose",
            "transforms": [
                {"_target_": "LoadImaged", "keys": "image"},
                {"_target_": "EnsureChannelFirstd", "keys": "image"},
                {"_target_": "Orientationd", "keys": "image", "axcodes": "RAS"},
                {"_target_": "Spacingd", "keys": "image", "pixdim": "@spacing", "mode": "bilinear"},
                {"_target_": "ScaleIntensityRanged", "keys": "image", "a_min": 0, "a_max": 400, "b_min": 0, "b_max": 1},
                {"_target_": "EnsureTyped", "keys": "image", "device": "@device"},
            ],
        },
        "inferer": {"_target_": "SlidingWindowInferer", "roi_size": [16, 16, 16], "sw_batch_size": 1, "overlap": 0.25},
        **changes,
    }
    meta = {
        "network_data_format": {
            "outputs": {"pred": {"channel_def": {"0": "background", "1": "liver", "2": "kidney_left"}}}
        }
    }
    (folder / "configs" / "inference.json").write_text(json.dumps(config))
    (folder / "configs" / "metadata.json").write_text(json.dumps(meta))
    return folder


def test_a_bundle_answers_on_the_image_grid(tmp_path, image) -> None:
    masks = segment_with(bundle(tmp_path / "bundle"), image)
    assert masks and set(masks) <= {"liver", "left kidney"}
    for mask in masks.values():
        assert mask.shape == image.shape and np.array_equal(mask.affine, image.affine)


def test_a_bundle_equals_monai_run_by_hand_on_the_same_grid(tmp_path, image) -> None:
    import torch
    from monai.inferers import SlidingWindowInferer
    from monai.networks.nets import UNet

    plain = [{"_target_": "LoadImaged", "keys": "image"}, {"_target_": "EnsureChannelFirstd", "keys": "image"}]
    folder = bundle(tmp_path / "bundle", preprocessing={"_target_": "Compose", "transforms": plain})
    masks = segment_with(folder, image)
    network = UNet(spatial_dims=3, in_channels=1, out_channels=3, channels=[4, 8], strides=[2]).eval()
    network.load_state_dict(torch.load(folder / "models" / "model.pt", weights_only=True)["model"])
    with torch.inference_mode():
        scores = SlidingWindowInferer((16, 16, 16), 1, 0.25)(torch.from_numpy(image.array[None]), network)[0]
    labels = scores.argmax(0).numpy()
    for value, name in ((1, "liver"), (2, "left kidney")):
        expected = labels == value
        assert np.array_equal(masks[name].array if name in masks else np.zeros(image.shape, bool), expected)


@pytest.mark.parametrize(
    "changes",
    [
        {"network_def": {"_target_": "os.system", "command": "true"}},
        {"network_def": "$__import__('os').system('true')"},
        {"inferer": {"_target_": "monai.utils.module.load_submodules"}},
        {
            "preprocessing": {
                "_target_": "Compose",
                "transforms": [{"_target_": "Lambdad", "keys": "image", "func": "$print"}],
            }
        },
    ],
)
def test_a_bundle_that_would_run_code_is_refused(tmp_path, image, changes) -> None:
    with pytest.raises(UnsafeInputError):
        segment_with(bundle(tmp_path / "bundle", **changes), image)


def test_bundles_that_are_not_whole(tmp_path, image) -> None:
    folder = bundle(tmp_path / "bundle")
    (folder / "models" / "model.pt").write_bytes(b"not weights")
    with pytest.raises(ConfigurationError):
        segment_with(folder, image)
    (folder / "models" / "model.pt").unlink()
    with pytest.raises(ConfigurationError, match=r"model\.pt"):
        segment_with(folder, image)
    (folder / "configs" / "metadata.json").unlink()
    with pytest.raises(ConfigurationError, match="channel"):
        segment_with(folder, image)


def test_written_volume_keeps_the_grid(tmp_path, image) -> None:
    from groundglass.models.engines.exchange import write_volume

    write_volume(image, tmp_path / "x.nii.gz")
    found = nib.load(tmp_path / "x.nii.gz")
    assert np.array_equal(np.asarray(found.dataobj), image.array[0]) and np.allclose(
        found.affine, image.affine, atol=1e-6
    )
