"""`bench data` as it is typed: what is printed where, and exit codes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pooch
import pytest
from trees.audio import write_wav
from typer.main import get_command
from typer.testing import CliRunner

import benchmark.data.downloads
from benchmark.cli import app
from benchmark.cli.app import main
from benchmark.cli.data_get import facts_of
from benchmark.io.settings import load_settings
from benchmark.registry.registry import Registry

COMMANDS = ("status", "verify", "index", "get", "how-to")

PLUGIN = '''
"""A corpus for tests."""
from pathlib import Path
from benchmark import Corpus, Utterance
from benchmark.errors import BenchError
from benchmark.data.layout import audio_files
from benchmark.types import CorpusCounts, Download


class Tones(Corpus):
    """Tones: files named speaker_emotion_take."""

    name = "tones"
    language = "und"
    licence = "CC BY 4.0 [for all]"
    citation = "A. Author: Tones. 2020"
    homepage = "https://example.org/tones"
    how_to_get = "make it"
    counts = {"all": CorpusCounts(4, 2, {"anger": 2, "joy": 2})}
    downloads = (DOWNLOADS)

    def scan(self, root):
        found = []
        for file, name in audio_files(root):
            words = Path(name).stem.split("_")
            if len(words) != 3:
                raise BenchError(f"corpus tones: unexpected file {name}", "speaker_emotion_take.wav")
            found.append(Utterance("_".join(words), file, speaker=words[0], labels={"emotion": words[1]}))
        return sorted(found, key=lambda utterance: utterance.id)
'''


class Done(NamedTuple):
    """What a command left: exit code, stdout, stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What was printed."""
        return json.loads(self.out)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., Done]:
    """Run the command line, as the script does, with the corpus `tones`."""
    plugin = tmp_path / "tones_plugin.py"
    if not plugin.exists():
        plugin.write_text(PLUGIN.replace("DOWNLOADS", ""))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))

    def run(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["bench", "data", *map(str, arguments), "--plugin", str(plugin)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        code = left.value.code
        assert isinstance(code, int | None)
        return Done(code or 0, *capsys.readouterr())

    return run


def write_tones(root: Path) -> Path:
    for seed, name in enumerate(("ann_anger_1", "ann_joy_1", "bob_anger_1", "bob_joy_1")):
        write_wav(root / f"{name}.wav", seed)
    return root


@pytest.fixture
def tones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The corpus, below BENCH_DATA."""
    monkeypatch.setenv("BENCH_DATA", str(tmp_path / "data"))
    return write_tones(tmp_path / "data/tones")


# -- help -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_ends_with_examples_that_the_command_line_understands(command: str) -> None:
    result = CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1"}).invoke(app, ["data", *command.split(), "--help"])
    assert result.exit_code == 0
    examples = re.findall(r"bench data (.+?)\s*$", result.stdout.split("Examples:")[1], flags=re.MULTILINE)
    assert examples
    group = get_command(app).commands["data"]  # type: ignore[attr-defined]
    assert set(group.commands) == set(COMMANDS)
    corpora = {entry.name for entry in Registry().corpora()}
    for example in examples:
        name, *rest = example.split()
        context = group.commands[name].make_context(name, rest)  # raises where an option or argument is wrong
        named = context.params.get("names") or [context.params.get("name")]
        assert set(named) <= {*corpora, None}
        assert command in ("", name)
        assert name != "get" or context.params["accept_licence"]  # it fails without


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom benchmark.cli import app\n"
        "try:\n    app(['data', 'get', '--help'])\nexcept SystemExit as leave:\n    assert not leave.code\n"
        "heavy = {'torch', 'numpy', 'requests', 'pooch', 'tqdm', 'soundfile'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, capture_output=True)


# -- status -----------------------------------------------------------------------------------------------------------


def test_status_knows_every_corpus_and_needs_none(bench: Callable[..., Done]) -> None:
    done = bench("status")
    assert done.code == 0
    rows = bench("status", "--json").json
    assert [row["corpus"] for row in rows] == [*sorted({entry.name for entry in Registry().corpora()} | {"tones"})]
    assert {row["state"] for row in rows} == {"not here", "made when needed"}
    for row in rows:
        assert row["corpus"] in done.out
    assert not Path(os.environ["BENCH_CACHE"]).exists()


def test_status_counts_what_is_here(bench: Callable[..., Done], tones: Path) -> None:
    done = bench("status", "tones")
    assert re.search(r"tones +complete +4/4 +2/2 .*CC BY 4.0 \[for all\]", done.out)
    (tones / "bob_joy_1.wav").unlink()
    done = bench("status", "tones")
    assert (done.code, done.err) == (0, "")
    assert re.search(r"tones +incomplete +3/4 +2/2 +3 utterances instead of", done.out)
    write_wav(tones / "bob_joy_1.wav", 9)
    write_wav(tones / "bob_joy_2.wav", 9)
    assert re.search(r"tones +not as counted +5/4 +2/2 +5 utterances instead of", bench("status", "tones").out)
    assert bench("status", "tones", "--json").json[0]["state"] == "not as counted"
    write_wav(tones / "ann_joy.wav", 9)
    (row,) = bench("status", "tones", "--json").json
    assert (row["state"], row["parts"]) == ("refused", [])
    assert row["reason"] == "corpus tones: unexpected file ann_joy.wav (speaker_emotion_take.wav)"
    assert "refused" in bench("status", "tones").out


def test_status_says_how_to_go_on(bench: Callable[..., Done]) -> None:
    assert "bench data get ravdess" in bench("status", "ravdess").out
    assert "bench data how-to urdu" in bench("status", "urdu").out
    done = bench("status", "tonse")
    assert (done.code, done.err) == (2, "error: unknown corpus 'tonse' (did you mean 'tones'?)\n")


def test_status_in_a_real_process(tmp_path: Path) -> None:
    script = Path(sys.executable).with_name("bench")
    environment = {**os.environ, "XDG_DATA_HOME": str(tmp_path)}
    command = [script, "data", "status", "nothing"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: unknown corpus 'nothing'")


# -- verify and index -------------------------------------------------------------------------------------------------


def test_verify_listens_to_all_and_prints_digests(bench: Callable[..., Done], tones: Path) -> None:
    done = bench("verify", "tones")
    assert done.code == 0
    assert "listen to tones: 4 in" in done.err
    assert re.search(r"all +complete +4 +4 +2 +2", done.out)
    assert "4 of 4 utterances can be used, 0.00 h" in done.out
    printed = bench("verify", "tones", "--json").json
    assert printed["wrong"] == []
    for kind in ("audio", "index"):
        assert f"{kind} {printed['digests'][f'{kind}_sha256']}" in done.out


def test_verify_names_everything_that_is_wrong(bench: Callable[..., Done], tones: Path) -> None:
    (tones / "bob_joy_1.wav").unlink()
    (tones / "ann_joy_1.wav").write_text("no audio")
    shutil.copy(tones / "ann_anger_1.wav", tones / "bob_anger_1.wav")
    done = bench("verify", "tones")
    assert done.code == 1
    assert "unusable: 1\n  ann_joy_1.wav: unreadable audio" in done.out
    assert "identical recordings under several speakers: 1\n  ann_anger_1 = bob_anger_1" in done.out
    assert "audio " not in done.out.split("unusable")[0].splitlines()[-1]
    assert done.err.splitlines()[-1] == (
        "error: tones is not as it should be: 3 utterances instead of 4, 1 joy instead of 2; "
        "1 of 3 utterances cannot be used (bench data how-to tones says how to get it)"
    )
    done = bench("verify", "tones", "--json")
    assert done.code == 1
    assert (done.json["digests"], list(done.json["unusable"])) == (None, ["ann_joy_1"])
    assert done.json["identical_across_speakers"] == [["ann_anger_1", "bob_anger_1"]]


def test_the_line_of_the_error_names_five_differences(bench: Callable[..., Done], tones: Path) -> None:
    for emotion in "abcde":
        write_wav(tones / f"eve_{emotion}_1.wav", 9)
    done = bench("verify", "tones")
    assert done.err.splitlines()[-1].startswith(
        "error: tones is not as it should be: 9 utterances instead of 4, 3 speakers instead of 2, 1 a instead of 0, "
        "1 b instead of 0, 1 c instead of 0, and 2 more (bench data how-to"
    )
    assert re.search(r"all +not as counted +9 +4 ", done.out)
    for file in tones.glob("[!e]*"):
        file.unlink()
    for file in tones.glob("eve_[a-d]_1.wav"):
        file.unlink()
    assert "1 of 1 utterance can be used" in bench("verify", "tones").out


def test_a_part_that_is_not_here_is_told(bench: Callable[..., Done], tones: Path, tmp_path: Path) -> None:
    plugin = tmp_path / "tones_plugin.py"
    plugin.write_text(plugin.read_text().replace('"all": C', '"song": CorpusCounts(3, 1), "all": C'))
    done = bench("verify", "tones")
    assert done.code == 1
    assert "error: tones is not as it should be: song: nothing of it is here" in done.err
    assert re.search(r"tones +complete in part +song 0/3 +song 0/1", bench("status", "tones").out)


def test_identical_recordings_alone_are_nothing_wrong(bench: Callable[..., Done], tones: Path) -> None:
    shutil.copy(tones / "ann_anger_1.wav", tones / "ann_joy_1.wav")
    done = bench("verify", "tones")
    assert done.code == 0
    assert "identical recordings of one speaker: 1\n  ann_anger_1 = ann_joy_1" in done.out


def test_two_labs_compare_their_corpora(bench: Callable[..., Done], tones: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs.jsonl"
    done = bench("index", "tones", "--out", theirs)
    assert (done.code, done.out) == (0, f"written: {theirs} (4 utterances)\n")
    assert bench("index", "tones").out == theirs.read_text()
    assert bench("index", "tones", "--out", theirs, "--json").json["utterances"] == 4
    assert bench("verify", "tones", "--against", theirs).out.endswith(f"the same as {theirs}\n")
    write_wav(tones / "bob_joy_1.wav", 99)
    done = bench("verify", "tones", "--against", theirs)
    assert done.code == 1
    assert "other samples of the same duration: 1 utterance\n  'bob_joy_1'" in done.out
    # Either may be the damaged one.
    assert done.err.splitlines()[-1] == (
        f"error: tones here and {theirs} differ: other samples of the same duration: 1 utterance ('bob_joy_1') "
        "(nothing is wrong with what is here; does bench data verify tones say so there, too?)"
    )
    printed = bench("verify", "tones", "--against", theirs, "--json").json
    assert printed["differences"] == {"other samples of the same duration: 1 utterance": ["bob_joy_1"]}
    assert printed["wrong"] == []
    for number in range(3, 10):
        write_wav(tones / f"bob_joy_{number}.wav", number)
    told = bench("verify", "tones", "--against", theirs).err.splitlines()[-1]
    assert told.startswith("error: tones is not as it should be: 11 utterances instead of 4, 9 joy instead of 2; tones")
    assert "only here: 7 utterances ('bob_joy_3', 'bob_joy_4', 'bob_joy_5', 'bob_joy_6', 'bob_joy_7', and 2" in told
    assert told.endswith("(bench data how-to tones says how to get it)")
    (tones / "bob_joy_1.wav").write_text("no audio")
    assert "not compared: a corpus with unusable recordings" in bench("verify", "tones", "--against", theirs).err


def test_an_index_of_another_corpus_is_told_before_listening(
    bench: Callable[..., Done], tones: Path, tmp_path: Path
) -> None:
    theirs = tmp_path / "theirs.jsonl"
    bench("index", "tones", "--out", theirs)
    theirs.write_text(theirs.read_text().replace('"corpus":"tones"', r'"corpus":"\u001b[2Jnoise"', 1))
    done = bench("verify", "tones", "--against", theirs)
    assert (done.code, done.out, done.err) == (
        2,
        "",
        f"error: {theirs} is of another corpus: '\\x1b[2Jnoise', not 'tones' "
        "(bench data index tones writes one to compare with)\n",
    )


def test_help_says_what_ids_may_tell() -> None:
    result = CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1"}).invoke(app, ["data", "index", "--help"])
    text = " ".join(result.stdout.split())
    assert "No audio and no list of labels is in it" in text
    assert "ids are the corpus's own file names, which in some corpora tell label and speaker" in text


def test_what_another_lab_wrote_cannot_drive_the_terminal(
    bench: Callable[..., Done], tones: Path, tmp_path: Path
) -> None:
    theirs = tmp_path / "theirs.jsonl"
    bench("index", "tones", "--out", theirs)
    header, *lines = [json.loads(line) for line in theirs.read_text().splitlines()]
    lines[0]["id"] = "\x1b[2J[bold]x"
    from benchmark.io.files import digest

    header["audio_sha256"] = digest({line["id"]: line["sha256"] for line in lines})
    theirs.write_text("\n".join(json.dumps(line) for line in [header, *lines]))
    done = bench("verify", "tones", "--against", theirs)
    assert done.code == 1
    assert "\x1b" not in done.out + done.err
    assert r"'\x1b[2J[bold]x'" in done.out
    assert r"'\x1b[2J[bold]x'" in done.err


def test_a_file_that_is_no_index_is_refused_before_listening(
    bench: Callable[..., Done], tones: Path, tmp_path: Path
) -> None:
    (tmp_path / "x.jsonl").write_text("nothing")
    done = bench("verify", "tones", "--against", tmp_path / "x.jsonl")
    assert done.code == 2
    assert done.err.startswith(f"error: {tmp_path}/x.jsonl is no digest index")


def test_no_index_is_made_of_what_cannot_be_heard(bench: Callable[..., Done], tones: Path, tmp_path: Path) -> None:
    (tones / "ann_joy_1.wav").write_text("no audio")
    done = bench("index", "tones", "--out", tmp_path / "x.jsonl")
    assert done.code == 1
    assert "1 of 4 utterances of 'tones' cannot be used: ann_joy_1.wav" in done.err
    assert not (tmp_path / "x.jsonl").exists()


def test_what_is_not_here_cannot_be_verified(bench: Callable[..., Done]) -> None:
    done = bench("verify", "tones")
    assert done.code == 3
    assert done.err.startswith("error: the corpus 'tones' is not here")


# -- how-to -----------------------------------------------------------------------------------------------------------


def test_how_to_tells_all_of_every_corpus(bench: Callable[..., Done]) -> None:
    registry, settings = Registry(), load_settings()
    for entry in registry.corpora():
        corpus = registry.corpus(entry.name)
        facts = facts_of(corpus, settings)
        assert facts["licence"] == corpus.licence
        assert facts["cite"] == corpus.citation
        assert facts["how_to_get"] == corpus.how_to_get
        assert ("download" in facts) == bool(corpus.downloads)
    corpus = registry.corpus("ravdess")
    shown = bench("how-to", "ravdess").out
    for text in (corpus.homepage, corpus.licence, corpus.downloads[0].checksum, "song: 1012 utterances, 23 speakers"):
        assert text in shown
    place = settings.place_of_new("ravdess")
    assert facts_of(corpus, settings)["which_puts_it_into"] == str(place)
    assert re.search(r"download +bench data get ravdess --accept-licence *\nwhich puts it into +/", shown)
    facts = bench("how-to", "tones", "--json").json
    assert "which_puts_it_into" not in facts
    assert facts["holds"] == ["4 utterances, 2 speakers"]
    assert facts["tell_bench_where"][0] == "--data tones=PATH"
    assert facts["then"] == "bench data verify tones"
    assert bench("how-to", "nothing").code == 2


# -- get --------------------------------------------------------------------------------------------------------------


class Quiet(SimpleHTTPRequestHandler):
    """A host that says nothing."""

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A host that has the corpus; the folder that it serves."""
    folder = tmp_path / "host"
    root = write_tones(tmp_path / "made")
    folder.mkdir()
    archive = folder / "tones.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        for path in root.iterdir():
            opened.write(path, path.name)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    checksum = f"md5:{pooch.file_hash(str(archive), alg='md5')}"
    download = f'Download("http://127.0.0.1:{server.server_port}/tones.zip", "{checksum}"),'
    (tmp_path / "tones_plugin.py").write_text(PLUGIN.replace("DOWNLOADS", download))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(benchmark.data.downloads, "FIRST_PAUSE", 0.0)
    yield folder
    server.shutdown()
    server.server_close()
    thread.join()


def test_without_the_licence_accepted_nothing_is_fetched(
    host: Path, bench: Callable[..., Done], tmp_path: Path
) -> None:
    done = bench("get", "tones")
    assert (done.code, done.out) == (2, "")
    assert "licence: CC BY 4.0 [for all]\ncite: A. Author: Tones. 2020\nhome page: https://example.org/" in done.err
    assert done.err.splitlines()[-1] == (
        "error: the licence of tones is to be accepted first: CC BY 4.0 [for all] (read it, then add --accept-licence)"
    )
    assert f"it goes into {tmp_path}/home/serbench/corpora/tones\n" in done.err
    assert not (tmp_path / "home").exists()


def test_get_puts_a_corpus_where_it_is_found(host: Path, bench: Callable[..., Done], tmp_path: Path) -> None:
    done = bench("get", "tones", "--accept-licence")
    place = tmp_path / "home/serbench/corpora/tones"
    assert (done.code, done.out) == (0, f"tones is in {place}: all 4\n")
    assert "licence: CC BY 4.0 [for all]" in done.err
    assert f"/tones.zip\nit goes into {place}\n" in done.err.split(": done")[0]  # before the transfer
    assert re.search(r"[0-9a-f]{8}-tones\.zip: done\nunpack [0-9a-f]{8}-tones\.zip: done\n$", done.err)
    assert bench("verify", "tones").code == 0
    (host / "tones.zip").unlink()
    again = bench("get", "tones", "--accept-licence")
    assert (again.code, again.out) == (0, f"tones is there already: {place}\n")
    assert bench("get", "tones", "--json").json["parts"][0]["state"] == "complete"


def test_get_goes_below_bench_data(
    host: Path, bench: Callable[..., Done], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_DATA", str(tmp_path / "new/data"))
    done = bench("get", "tones", "--accept-licence", "--json")
    assert (done.code, done.err) == (
        3,
        f"error: the folder {tmp_path}/new/data given by BENCH_DATA does not exist (make it, or unset BENCH_DATA)\n",
    )
    (tmp_path / "new/data").mkdir(parents=True)
    printed = bench("get", "tones", "--accept-licence", "--json").json
    assert printed["folder"] == str(tmp_path / "new/data/tones")
    assert printed["parts"][0]["utterances"] == 4
    assert bench("status", "tones", "--json").json[0]["state"] == "complete"


def test_get_goes_where_it_is_told(host: Path, bench: Callable[..., Done], tmp_path: Path) -> None:
    place = tmp_path / "elsewhere"
    place.mkdir()  # empty, as --help allows
    done = bench("get", "tones", "--accept-licence", "--to", place)
    assert done.out == f"tones is in {place}: all 4\ntell bench where it is: --data tones={place}\n"
    assert bench("status", "tones", "--data", f"tones={place}", "--json").json[0]["state"] == "complete"


def test_get_leaves_an_incomplete_corpus_alone(host: Path, bench: Callable[..., Done], tones: Path) -> None:
    (tones / "bob_joy_1.wav").unlink()
    done = bench("get", "tones", "--accept-licence")
    assert done.code == 1
    assert f"tones is in {tones} already, and is incomplete (bench data verify tones says what is wrong" in done.err
    assert len(list(tones.iterdir())) == 3
    for take in "12":
        write_wav(tones / f"bob_joy_{take}.wav", 9)
    done = bench("get", "tones", "--accept-licence")
    assert (done.code, len(list(tones.iterdir()))) == (1, 5)
    assert f"tones is in {tones} already, and is not as counted (bench data verify" in done.err


def test_a_wrong_file_is_exit_code_1_and_a_missing_one_3(
    host: Path, bench: Callable[..., Done], tmp_path: Path
) -> None:
    archive = (host / "tones.zip").read_bytes()
    (host / "tones.zip").write_bytes(archive[:-1])
    done = bench("get", "tones", "--accept-licence")
    assert done.code == 1
    assert "is not the published file" in done.err
    (host / "tones.zip").unlink()
    done = bench("get", "tones", "--accept-licence")
    assert done.code == 3
    assert "the host answers 404" in done.err
    assert bench("status", "tones", "--json").json[0]["state"] == "not here"


def test_what_bench_cannot_download_is_told(bench: Callable[..., Done]) -> None:
    done = bench("get", "urdu", "--accept-licence")
    assert (done.code, done.err) == (
        2,
        "error: bench cannot download urdu (bench data how-to urdu says how to get it)\n",
    )


@pytest.mark.corpora
@pytest.mark.skipif("BENCH_DATA" not in os.environ, reason="needs BENCH_DATA")
def test_the_real_urdu_can_be_verified(bench: Callable[..., Done]) -> None:
    done = bench("verify", "urdu", "--json")
    assert done.code == 0
    assert done.json["digests"]["utterances"] == 400
    assert done.json["unusable"] == {}
