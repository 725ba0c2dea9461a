"""The embedded demo corpus: the same bytes always, repaired when damaged, and neither trivial nor hopeless."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from sklearn.metrics import balanced_accuracy_score
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from benchmark.errors import BenchError, MissingError, UsageError
from benchmark.types import Utterance
from tasks.corpora import demo, demo_speech
from tasks.corpora.demo import Demo
from tasks.corpora.demo_speech import EMOTIONS, FILES, SENTENCES, SPEAKERS

REPOSITORY = Path(__file__).parents[3]
FOLDER = f"demo-{demo.SHA256[:12]}"
SOME = ["M6/M6_angry_S6.wav", "F1/F1_sad_S2.wav", "F4/F4_happy_S3.wav", "M1/M1_neutral_S1.wav"]


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpus, rendered once; not to be changed."""
    return Demo().prepare(tmp_path_factory.mktemp("demo-cache"))


@pytest.fixture(scope="session")
def speech(rendered: Path) -> dict[str, NDArray[np.int16]]:
    """The samples of every file, read by another library than wrote them."""
    return {file: soundfile.read(rendered / file, dtype="int16")[0] for file in FILES}


@pytest.fixture
def cache(rendered: Path, tmp_path: Path) -> Path:
    """A cache with a corpus that the test may damage."""
    shutil.copytree(rendered, tmp_path / "cache" / FOLDER)
    return tmp_path / "cache"


@pytest.fixture
def no_rendering(monkeypatch: pytest.MonkeyPatch, rendered: Path) -> list[Path]:
    """Takes the place of the renderer, which needs seconds, and remembers what it was asked to make."""
    asked = []

    def copy(folder: Path) -> None:
        asked.append(folder)
        shutil.copytree(rendered, folder)

    monkeypatch.setattr(demo, "render_apart", copy)
    return asked


def changed(path: Path, position: int) -> None:
    """Flip one bit of a file."""
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


# What it holds


def test_every_speaker_says_every_sentence_with_every_emotion(rendered: Path) -> None:
    utterances = Demo().scan(rendered)
    assert len(utterances) == 288
    assert Counter(u.labels["emotion"] for u in utterances) == {"angry": 72, "happy": 72, "neutral": 72, "sad": 72}
    assert set(Counter(u.speaker for u in utterances).values()) == {24}
    assert Counter(u.gender for u in utterances) == {"female": 144, "male": 144}
    assert len({(u.speaker, u.labels["emotion"], u.extra["text"]) for u in utterances}) == 288
    assert (len(SPEAKERS), len(EMOTIONS), len(SENTENCES)) == (12, 4, 6)
    assert [u.id for u in utterances] == sorted(u.id for u in utterances)
    assert Demo().gaps(utterances) == []


def test_the_name_of_a_file_says_everything(rendered: Path) -> None:
    utterance = next(u for u in Demo().scan(rendered) if u.id == "M2/M2_happy_S3")
    assert utterance == Utterance(
        id="M2/M2_happy_S3",
        file="M2/M2_happy_S3.wav",
        speaker="M2",
        gender="male",
        language="en",
        labels={"emotion": "happy"},
        extra={"sentence": "S3", "text": SENTENCES["S3"], "voice": "en+m3"},
    )


def test_it_says_that_it_is_synthetic() -> None:
    assert Demo.synthetic
    assert (Demo.__doc__ or "").startswith("Synthetic")


@pytest.mark.parametrize("name", ["notes.txt", "F1/F1_angry_S7.wav", "F1/F2_angry_S1.wav", "F1/F1_bored_S1.wav", "X1/"])
def test_an_unexpected_file_is_named(cache: Path, name: str) -> None:
    (cache / FOLDER / name).mkdir() if name.endswith("/") else (cache / FOLDER / name).touch()
    with pytest.raises(BenchError, match=f"unexpected file {name.rstrip('/')} in"):
        Demo().scan(cache / FOLDER)


def test_hidden_files_are_ignored_and_missing_ones_are_gaps(cache: Path) -> None:
    (cache / FOLDER / "F1" / ".DS_Store").touch()
    (cache / FOLDER / SOME[0]).unlink()
    utterances = Demo().scan(cache / FOLDER)
    assert len(utterances) == 287
    assert Demo().gaps(utterances) == ["M6/M6_angry_S6.wav is missing"]


def test_a_missing_folder_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="no folder"):
        Demo().scan(tmp_path / "nowhere")


# How it sounds


def test_every_file_is_sane(rendered: Path, speech: dict[str, NDArray[np.int16]]) -> None:
    for file, samples in speech.items():
        info = soundfile.info(rendered / file)
        assert (info.samplerate, info.channels, info.subtype) == (22_050, 1, "PCM_16"), file
        assert 1.0 < info.duration < 3.5, file
        wide = samples.astype(np.int64)
        assert 2000 < np.abs(wide).max() < 32_000, file
        assert np.abs(np.diff(wide)).max() < 45_000, f"{file}: a sum outside 16 bits wraps around"
        assert wide.std() > 200, file
    assert sum(map(len, speech.values())) / 22_050 < 500


def test_the_noise_is_white_moderate_and_of_each_file_its_own() -> None:
    silence = np.zeros(5000, dtype=np.int32)
    noise = np.stack([demo_speech.record(silence, demo_speech.recipe(file), file) for file in FILES]).astype(np.float64)
    assert 50 < noise.std(axis=1).min() < noise.std(axis=1).max() < 170
    assert np.abs(noise.mean(axis=1)).max() < 10
    assert np.abs(np.corrcoef(noise) - np.eye(len(noise))).max() < 0.1
    assert all(abs(np.corrcoef(one[1:], one[:-1])[0, 1]) < 0.1 for one in noise)


def test_the_expression_follows_the_reviews() -> None:
    recipes = {file: demo_speech.recipe(file) for file in FILES}

    def mean(emotion: str, what: str) -> float:
        return float(np.mean([getattr(recipes[file], what) for file in FILES if FILES[file][1] == emotion]))

    for what in ("rate", "pitch", "span", "volume", "brightness"):
        assert mean("sad", what) < mean("neutral", what) < mean("happy", what)
        assert mean("neutral", what) < mean("angry", what)
    assert abs(mean("angry", "gain") / mean("sad", "gain") - 1) < 0.1


def unseen_speaker_uar(values: NDArray[np.float64]) -> float:
    """UAR of a linear SVM, leaving one speaker out. (288, D) in the order of FILES."""
    labels = np.array([emotion for _, emotion, _ in FILES.values()])
    speakers = np.array([speaker for speaker, _, _ in FILES.values()])
    decided = labels.copy()
    for speaker in SPEAKERS:
        test = speakers == speaker
        scaler = StandardScaler().fit(values[~test])
        head = SVC(kernel="linear", C=0.01).fit(scaler.transform(values[~test]), labels[~test])
        decided[test] = head.predict(scaler.transform(values[test]))
    return float(100 * balanced_accuracy_score(labels, decided))


def test_a_spectrum_tells_much_and_level_or_duration_alone_do_not(speech: dict[str, NDArray[np.int16]]) -> None:
    spectra = []
    for samples in speech.values():
        frames = samples[: len(samples) // 512 * 512].reshape(-1, 512) * np.hanning(512)
        bands = np.array_split(np.abs(np.fft.rfft(frames)) ** 2, 40, axis=1)
        spectra.append([np.log(band.sum(axis=1) + 1).mean() for band in bands])
    level = [[np.log(samples.astype(np.float64).std())] for samples in speech.values()]
    duration = [[len(samples)] for samples in speech.values()]
    assert 55 < unseen_speaker_uar(np.array(spectra)) < 90
    assert unseen_speaker_uar(np.array(level)) < 60
    assert unseen_speaker_uar(np.array(duration)) < 60


# The same bytes


def test_other_order_process_locale_and_folder_give_the_same_bytes(rendered: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "LC_ALL": "C", "MALLOC_PERTURB_": "165"}
    command = [sys.executable, "-m", "tasks.corpora.demo_speech", "some", *SOME]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True)
    for file in SOME:
        assert (tmp_path / "some" / file).read_bytes() == (rendered / file).read_bytes(), file


def test_a_prepared_corpus_is_verified_and_not_rendered_again(cache: Path, no_rendering: list[Path]) -> None:
    assert demo.digest(cache / FOLDER) == demo.SHA256
    assert Demo().prepare(cache) == cache / FOLDER
    assert no_rendering == []


@pytest.mark.parametrize("position", [25, 20_001], ids=["header", "samples"])
def test_a_flipped_bit_is_noticed_and_repaired(
    cache: Path, no_rendering: list[Path], caplog: pytest.LogCaptureFixture, position: int
) -> None:
    changed(cache / FOLDER / SOME[1], position)
    (cache / FOLDER / "notes.txt").write_text("mine")
    assert demo.digest(cache / FOLDER) != demo.SHA256
    with caplog.at_level(logging.WARNING):
        Demo().prepare(cache)
    assert "is damaged" in caplog.messages[0]
    assert SOME[1] in caplog.messages[1]
    assert len(no_rendering) == 1
    assert demo.digest(cache / FOLDER) == demo.SHA256
    assert (cache / FOLDER / "notes.txt").read_text() == "mine"


def test_missing_files_and_folders_are_put_back(cache: Path, no_rendering: list[Path]) -> None:
    (cache / FOLDER / SOME[0]).unlink()
    shutil.rmtree(cache / FOLDER / "F1")
    assert demo.digest(cache / FOLDER) is None
    Demo().prepare(cache)
    assert len(no_rendering) == 1
    assert demo.digest(cache / FOLDER) == demo.SHA256
    assert [path.name for path in cache.iterdir()] == [FOLDER]


def test_a_process_that_comes_second_changes_nothing(
    cache: Path, rendered: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = {file: (cache / FOLDER / file).stat().st_ino for file in FILES}
    shutil.copytree(rendered, tmp_path / "second")
    demo.place(tmp_path / "second", cache / FOLDER)
    assert {file: (cache / FOLDER / file).stat().st_ino for file in FILES} == before
    assert caplog.messages == []


# What can go wrong


@pytest.mark.parametrize(
    ("installed", "advice"),
    [("0.2.4", "report it"), ("0.1.9", "installed is 0.1.9.*pip install espeakng-loader==0.2.4")],
)
def test_other_bytes_are_an_error_that_names_the_versions(
    tmp_path: Path, rendered: Path, monkeypatch: pytest.MonkeyPatch, installed: str, advice: str
) -> None:
    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        shutil.copytree(rendered, command[-1])
        changed(Path(command[-1]) / SOME[2], 9999)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(metadata, "version", lambda _: installed)
    with pytest.raises(BenchError, match=f"not the published one: digest .* instead of 858a7037e422.*{advice}"):
        Demo().prepare(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_synthesiser_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", version)
    with pytest.raises(MissingError, match=r"pip install espeakng-loader==0\.2\.4"):
        Demo().prepare(tmp_path)


def test_a_failing_renderer_is_an_error_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(BenchError, match="failed with exit code 1: no reason given"):
        Demo().prepare(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_espeak_is_asked_for_voices_that_it_has(tmp_path: Path) -> None:
    code = "from tasks.corpora import demo_speech as demo; from dataclasses import replace; "
    code += "known = demo.recipe; demo.recipe = lambda file: replace(known(file), voice='en-xx+nobody'); "
    code += f"demo.main(['out', '{SOME[0]}'])"
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "espeak_SetVoiceByName('en-xx+nobody') returned 2 instead of 0" in done.stderr


@pytest.mark.parametrize(("arguments", "message"), [([], "folder is missing"), (["out", "a.wav"], "no file 'a.wav'")])
def test_rendering_by_hand_says_what_it_wants(arguments: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        demo_speech.main(arguments)


def test_an_interrupt_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], **_: object) -> None:
        (Path(command[-1]) / "F1").mkdir(parents=True)
        (Path(command[-1]) / SOME[1]).touch()
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(KeyboardInterrupt):
        Demo().prepare(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_killed_render_is_never_read(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from tasks.corpora.demo import Demo; Demo().prepare(Path(sys.argv[1]))"
    )
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-c", code, str(tmp_path)]
    process = subprocess.Popen(command, env=environment, start_new_session=True)
    deadline = time.monotonic() + 60
    while not list(tmp_path.rglob("*.wav")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert list(tmp_path.rglob("*.wav"))
    assert not (tmp_path / FOLDER).exists()
    assert all(path.name.startswith(".writing-") for path in tmp_path.iterdir())


def test_a_cache_that_cannot_be_made_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BenchError, match=r"cannot make the demo corpus in .*file/cache: Not a directory"):
        Demo().prepare(tmp_path / "file" / "cache")
