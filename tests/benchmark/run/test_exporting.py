"""A trained upstream as a folder: others load it, and it encodes as the row did."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import pytest
import yaml
from quick_tuning import RECIPE
from tiny_models import quiet_transformers, save_model
from toy import TOY_TASK, tone

from benchmark.base.tuned import Training
from benchmark.cli.export import export as export_command
from benchmark.errors import BenchError, MissingError, UsageError
from benchmark.io.settings import Settings, load_settings
from benchmark.registry.registry import Registry
from benchmark.run.exporting import check_free, export
from benchmark.run.fitted import KeptUnit, Shelf
from benchmark.run.loop import run
from benchmark.run.plan import Request

LOW_RANK = {"trains": "low-rank", "blocks": None, "low_rank": {"rank": 2, "alpha": 2, "targets": "feed-forward"}}
WAVE = tone(500, 0.4)


def fitted(
    folder: Path, settings: Settings, progress, architecture: str, **changes
) -> tuple[Shelf, KeptUnit, Registry]:
    """A small model, trained on one fold of the toy."""
    small = {"init_std": 0.05} if architecture == "whisper" else {"initializer_range": 0.05}
    model = f"hf:{save_model(folder / 'small', architecture, **small)}"
    (folder / "toy.yaml").write_text(yaml.safe_dump(TOY_TASK))
    params = {key: value for key, value in {**RECIPE["params"], **changes}.items() if value is not None}
    (folder / "quick.yaml").write_text(
        yaml.safe_dump({**RECIPE, "params": {**params, "patience": None, "max_seconds": None}})
    )
    registry = Registry()
    run(Request([model], ["toy.yaml"], ["quick.yaml"], folds=["anna"]), registry, settings, progress, "cpu")
    shelf = Shelf(Training("toy.yaml", model, "quick.yaml"), registry, settings)
    (unit,) = shelf.find("anna")
    return shelf, unit, registry


@pytest.mark.parametrize(
    ("architecture", "changes", "loads"),
    [
        ("moonshine", {}, "encoder"),
        ("wav2vec2-base", LOW_RANK, ""),
        ("wavlm-base", LOW_RANK, ""),
        ("whisper", {"kept": "bf16"}, "encoder"),
    ],
    ids=["moonshine", "wav2vec2", "wavlm", "whisper"],
)
def test_the_folder_encodes_as_the_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings, progress, architecture: str, changes, loads: str
) -> None:
    import torch
    import transformers

    monkeypatch.chdir(tmp_path)
    shelf, unit, registry = fitted(tmp_path, settings, progress, architecture, **changes)
    export(shelf, unit, registry, tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "README.md",
        "config.json",
        "model.safetensors",
        "preprocessor_config.json",
        "serbench.json",
    }
    own = shelf.head(unit, shelf.upstream(unit)).tuned().encode(WAVE).layers
    exported = registry.upstream(f"hf:{tmp_path / 'out'}")
    np.testing.assert_allclose(exported.encode(WAVE).layers, own, rtol=1e-5, atol=1e-5)
    assert not np.allclose(own, shelf.row.encode(WAVE).layers, atol=1e-3)
    assert exported.trained_on == ("csv",)

    logging.disable(logging.WARNING)  # of the decoder, which is not in it
    with quiet_transformers():
        model = transformers.AutoModel.from_pretrained(tmp_path / "out")
    logging.disable(logging.NOTSET)
    encoder = getattr(model, loads) if loads else model
    extractor = transformers.AutoFeatureExtractor.from_pretrained(tmp_path / "out")
    inputs = extractor(WAVE, sampling_rate=16_000, return_tensors="pt")
    with torch.no_grad():
        last = encoder.eval()(inputs[extractor.model_input_names[0]]).last_hidden_state[0]
    np.testing.assert_allclose(last[: own.shape[1]].numpy(), own[-1], rtol=1e-4, atol=1e-4)


def test_a_folder_that_cannot_be_filled_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a note")
    (tmp_path / "astray").symlink_to("nowhere")
    for name, told in (
        ("file/x", "nothing can be written to .*file/x: Not a directory"),
        ("file", "file is no folder"),
        ("astray", "astray is a link to nowhere, which is not there"),
        (".", "is there, and not empty"),
    ):
        with pytest.raises(BenchError, match=told) as error:
            check_free(tmp_path / name)
        assert error.value.hint.startswith("--out names a folder that ")
    check_free(tmp_path / "new" / "deeper")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["astray", "file"]


def test_two_steps_on_a_task_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings, progress) -> None:
    """Also with a recipe in a folder, and files further in."""
    monkeypatch.chdir(tmp_path)
    save_model(tmp_path / "m" / "moon", "moonshine")
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump({**TOY_TASK, "name": "mine"}))
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "quick.yaml").write_text(yaml.safe_dump(RECIPE))
    upstream, recipe = "tuned:mine.yaml/hf:m/moon/recipes/quick.yaml", "recipes/quick.yaml"
    own = load_settings([f"mine={settings.data['toy']}"])
    (outcome,) = run(Request([upstream], ["mine.yaml"], [recipe], folds=["anna"]), Registry(), own, progress, "cpu")
    assert outcome.failed == {}
    export_command(f"mine.yaml/{upstream}/{recipe}", fold="anna", out=Path("out"), results=own.results)
    assert json.loads((tmp_path / "out" / "serbench.json").read_text())["trained_on"] == ["csv"]
    assert "Before: hf:moon by quick on mine, fold anna" in (tmp_path / "out" / "README.md").read_text()


def test_the_card_says_where_it_comes_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings, progress, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    shelf, unit, registry = fitted(tmp_path, settings, progress, "moonshine")
    export_command(
        f"toy.yaml/hf:{tmp_path / 'small'}/quick.yaml", fold="anna", out=Path("out"), results=settings.results
    )
    assert "bench run --upstream hf:out" in capsys.readouterr().out
    card = (tmp_path / "out" / "README.md").read_text()
    assert str(tmp_path) not in card
    for text in ("`hf:small`", "task `toy` (fold `anna`", unit.record.weights.trained_sha256, "| UAR |", "Corpus: csv"):
        assert text in card
    assert json.loads((tmp_path / "out" / "serbench.json").read_text())["trained_on"] == ["csv"]
    with pytest.raises(UsageError, match="out is there, and not empty"):
        export(shelf, unit, registry, Path("out"))
    files = sorted(path.name for path in Path("out").iterdir())
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to("empty")
    export(shelf, unit, registry, Path("link"))
    assert sorted(path.name for path in (tmp_path / "empty").iterdir()) == files
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    export(shelf, unit, registry, Path())
    assert sorted(path.name for path in Path().iterdir()) == files
    monkeypatch.chdir(tmp_path)
    unit.path.write_bytes(unit.path.read_bytes()[:-1])
    with pytest.raises(BenchError, match="is not what was recorded"):
        export(shelf, unit, registry, Path("other"))
    unit.path.unlink()
    with pytest.raises(MissingError, match="no head of fold 'anna' is kept of toy / hf:small / quick"):
        shelf.find("anna")
    assert not Path("other").exists()
