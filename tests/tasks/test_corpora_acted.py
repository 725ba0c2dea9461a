"""The acted corpora that anybody can get: their complete layouts, made, and what each of them has of its own."""

from __future__ import annotations

import functools
import importlib
import os
import shutil
from collections import Counter
from pathlib import Path

import pytest
from trees import aesdd, cafe, ravdess, savee, tess

from benchmark.base import Corpus
from benchmark.data.scanning import index_digest
from benchmark.errors import BenchError
from benchmark.registry.registry import Registry
from benchmark.types import Utterance

# Module of the scanner and of the tree -> one file as on disk, and all that its name says.
EXAMPLES = {
    "emodb": (
        "wav/03a01Wa.wav",
        Utterance(
            id="03a01Wa",
            file="wav/03a01Wa.wav",
            speaker="03",
            gender="male",
            language="de",
            labels={"emotion": "anger"},
            extra={"sentence": "a01", "take": "a", "style": "scripted"},
        ),
    ),
    "savee": (
        "AudioData/JK/sa07.wav",
        Utterance(
            id="JK_sa07",
            file="AudioData/JK/sa07.wav",
            speaker="JK",
            gender="male",
            language="en",
            labels={"emotion": "sadness"},
            extra={"sentence": None, "prompt": "sa07", "style": "scripted"},
        ),
    ),
    "ravdess": (
        "Audio_Song_Actors_01-24/Actor_12/03-02-06-02-01-02-12.wav",
        Utterance(
            id="03-02-06-02-01-02-12",
            file="Audio_Song_Actors_01-24/Actor_12/03-02-06-02-01-02-12.wav",
            speaker="12",
            gender="female",
            language="en",
            labels={"emotion": "fearful"},
            extra={"channel": "song", "intensity": "strong", "sentence": "01", "take": "02", "style": "scripted"},
        ),
    ),
    "emovo": (
        "m2/pau-m2-l4.wav",
        Utterance(
            id="pau-m2-l4",
            file="m2/pau-m2-l4.wav",
            speaker="m2",
            gender="male",
            language="it",
            labels={"emotion": "fear"},
            extra={"sentence": "l4", "style": "scripted"},
        ),
    ),
    "cafe": (
        "Colère/Fort/02-C-2-6.wav",
        Utterance(
            id="02-C-2-6",
            file="Colère/Fort/02-C-2-6.wav",
            speaker="02",
            gender="female",
            language="fr",
            labels={"emotion": "anger"},
            extra={"intensity": "strong", "sentence": "6", "style": "scripted"},
        ),
    ),
    "aesdd": (
        "fear/f18 (5b).wav",
        Utterance(
            id="f18-5b",
            file="fear/f18 (5b).wav",
            speaker="5",
            language="el",
            labels={"emotion": "fear"},
            extra={"sentence": "18", "take": "b", "style": "scripted"},
        ),
    ),
    "crema_d": (
        "AudioWAV/1040_ITH_SAD_X.wav",
        Utterance(
            id="1040_ITH_SAD_XX",
            file="AudioWAV/1040_ITH_SAD_X.wav",
            speaker="1040",
            gender="male",
            language="en",
            labels={"emotion": "sad"},
            extra={"sentence": "ITH", "intensity": "unspecified", "style": "scripted", "agreement": None},
        ),
    ),
    "tess": (
        "OAF_neutral/OA_word012_neutral.wav",
        Utterance(
            id="OAF_word012_neutral",
            file="OAF_neutral/OA_word012_neutral.wav",
            speaker="OAF",
            gender="female",
            language="en",
            labels={"emotion": "neutral"},
            extra={"sentence": "word012", "style": "scripted"},
        ),
    ),
}
# Names that are nearly right.
WRONG = {
    "emodb": ["wav/04a01Wa.wav", "wav/03a01Xa.wav", "wav/03a01W.wav"],
    "savee": ["AudioData/DC/x01.wav", "AudioData/DC/XX_a01.wav"],
    "ravdess": ["Actor_01/03-01-09-01-01-01-01.wav", "Actor_25/03-01-01-01-01-01-25.wav", "01-01-06-01-01-01-01.wav"],
    "emovo": ["f1/dis-f4-b1.wav", "f1/ang-f1-b1.wav", "f1/dis-f1-b9.wav"],
    "cafe": ["Neutre/01-N-2-1.wav", "Peur/Fort/13-P-2-1.wav", "Peur/Fort/01-P-3-1.wav"],
    "aesdd": ["fear/x01 (1).wav", "fear/f01.wav", "fear/f01 (7).wav", "fear/f21 (1).wav"],
    "crema_d": ["AudioWAV/1092_DFA_ANG_XX.wav", "AudioWAV/1001_DFA_CAL_XX.wav", "AudioWAV/1001_DFA_ANG.wav"],
    "tess": ["OAF_angry/OBF_word_angry.wav", "OAF_angry/OAF_word_calm.wav"],
}
MODULES = sorted(EXAMPLES)
OTHERS = "1 utterance is missing of the other speakers: "


@functools.cache
def corpus_of(module: str) -> Corpus:
    """The scanner, found by its name."""
    return Registry().corpus(module.replace("_", "-"))


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every corpus, complete; not to be changed."""
    folder = tmp_path_factory.mktemp("trees")
    return {module: importlib.import_module(f"trees.{module}").write(folder / module) for module in MODULES}


@pytest.mark.parametrize("module", MODULES)
def test_a_complete_corpus_has_the_published_numbers(trees: dict[str, Path], module: str) -> None:
    corpus = corpus_of(module)
    utterances = corpus.scan(trees[module])
    assert set(map(corpus.part_of, utterances)) == set(corpus.counts)
    for part, counts in corpus.counts.items():
        inside = [utterance for utterance in utterances if corpus.part_of(utterance) == part]
        assert len(inside) == counts.utterances
        assert len({utterance.speaker for utterance in inside}) == counts.speakers
        assert Counter(utterance.labels["emotion"] for utterance in inside) == counts.per_class
    assert corpus.gaps(utterances) == []
    ids = [utterance.id for utterance in utterances]
    assert ids == sorted(set(ids))
    assert {tuple(utterance.extra) for utterance in utterances} == {tuple(utterances[0].extra)}
    assert {utterance.language for utterance in utterances} == {corpus.language}
    assert all((trees[module] / utterance.file).is_file() for utterance in utterances)


@pytest.mark.parametrize("module", MODULES)
def test_a_name_says_all_there_is_to_know(trees: dict[str, Path], module: str) -> None:
    file, expected = EXAMPLES[module]
    (found,) = [utterance for utterance in corpus_of(module).scan(trees[module]) if utterance.file == file]
    assert found == expected


@pytest.mark.parametrize(("module", "name"), [(module, name) for module in MODULES for name in WRONG[module]])
def test_a_file_that_is_not_of_the_corpus_is_named(tmp_path: Path, module: str, name: str) -> None:
    for file in (EXAMPLES[module][0], name):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    with pytest.raises(BenchError, match="unexpected file") as error:
        corpus_of(module).scan(tmp_path)
    assert name in str(error.value)


@pytest.mark.parametrize("module", MODULES)
def test_an_upper_case_suffix_is_read(tmp_path: Path, module: str) -> None:
    file, expected = EXAMPLES[module]
    path = (tmp_path / file).with_suffix(".WAV")
    path.parent.mkdir(parents=True)
    path.touch()
    assert [utterance.id for utterance in corpus_of(module).scan(tmp_path)] == [expected.id]


@pytest.mark.parametrize("module", MODULES)
def test_a_corpus_unpacked_twice_is_refused(tmp_path: Path, module: str) -> None:
    file, expected = EXAMPLES[module]
    for path in (tmp_path / file, tmp_path / "copy" / file):
        path.parent.mkdir(parents=True)
        path.touch()
    with pytest.raises(BenchError, match=f"are both utterance '{expected.id}'"):
        corpus_of(module).scan(tmp_path)


@pytest.mark.parametrize("module", MODULES)
def test_a_folder_without_audio_is_refused(tmp_path: Path, module: str) -> None:
    with pytest.raises(BenchError, match="there is no audio in"):
        corpus_of(module).scan(tmp_path)


def gaps_without(trees: dict[str, Path], module: str, *words: str) -> list[str]:
    """What is missing when utterances whose id holds one of the words are not there."""
    corpus = corpus_of(module)
    return corpus.gaps([one for one in corpus.scan(trees[module]) if not any(word in one.id for word in words)])


@pytest.mark.parametrize(
    ("module", "words", "expected"),
    [
        ("savee", ["JK_", "KL_n30"], ["1 of 4 speakers is missing: JK", OTHERS + "KL_n30"]),
        ("emodb", ["03a", "03b", "16a", "16b"], ["2 of 10 speakers are missing: 03, 16"]),
        ("emovo", ["-m3-", "gio-f1-d2"], ["1 of 6 speakers is missing: m3", OTHERS + "gio-f1-d2"]),
        ("cafe", ["07-N-1-2", "12-T-2-6"], ["2 utterances are missing: 07-N-1-2, 12-T-2-6"]),
        ("aesdd", ["f18-5b", "a01-1"], ["2 utterances are missing: a01-1, f18-5b"]),
        ("crema_d", ["1001_", "1091_", "1002_DFA"], ["2 of 91 actors are missing: 1001, 1091"]),
        ("tess", ["YAF_word007_sad"], ["1 utterance is missing: YAF_word007_sad"]),
        ("tess", ["YAF"], ["1 of 2 speakers is missing: YAF"]),
        ("ravdess", ["03-02-01-01-01-01-05"], ["song: 1 utterance is missing: 03-02-01-01-01-01-05"]),
    ],
)
def test_gaps_name_what_is_missing(trees: dict[str, Path], module: str, words: list[str], expected: list[str]) -> None:
    assert gaps_without(trees, module, *words) == expected


def test_long_gaps_are_told_shortly(trees: dict[str, Path]) -> None:
    others = [f"-{actor:02d}" for actor in range(1, 25) if actor not in (1, 5, 20)]
    corpus = corpus_of("ravdess")
    here = [one for one in corpus.scan(trees["ravdess"]) if not one.id.endswith(tuple(others))]
    assert corpus.gaps(here) == [
        "speech: 21 of 24 actors are missing: 02, 03, 04, 06, 07, 08, 09, 10, 11, 12 and 11 more",
        "song: 20 of 23 actors are missing: 02, 03, 04, 06, 07, 08, 09, 10, 11, 12 and 10 more",
    ]


def test_gaps_name_what_no_complete_corpus_has(trees: dict[str, Path], tmp_path: Path) -> None:
    shutil.copytree(trees["ravdess"], tmp_path, dirs_exist_ok=True)
    # Names that could be, but are not: nobody was neutral and strong, and actor 18 did not sing.
    for name in ("03-01-01-02-01-01-01", "03-02-03-01-01-01-18"):
        (tmp_path / f"{name}.wav").touch()
    corpus = corpus_of("ravdess")
    assert corpus.gaps(corpus.scan(tmp_path)) == [
        "speech: surplus: 03-01-01-02-01-01-01",
        "song: surplus: 03-02-03-01-01-01-18",
    ]


def without_files(utterances: list[Utterance]) -> str:
    """Digest of all but where the files lie."""
    return index_digest([Utterance(**{**vars(utterance), "file": ""}) for utterance in utterances])


def test_packagings_have_the_same_utterances(trees: dict[str, Path], tmp_path: Path) -> None:
    for module, other in (
        ("savee", savee.write(tmp_path / "savee", flat=True)),
        ("tess", tess.write(tmp_path / "tess", flat=True)),
        ("ravdess", ravdess.write(tmp_path / "ravdess", outer=False)),
        ("cafe", cafe.write(tmp_path / "decomposed", "decomposed")),
        ("cafe", cafe.write(tmp_path / "mojibake", "mojibake")),
    ):
        corpus = corpus_of(module)
        assert without_files(corpus.scan(other)) == without_files(corpus.scan(trees[module]))


def test_a_folder_name_that_is_no_text_is_read(tmp_path: Path) -> None:
    """What some programs make of the archive on Linux: the bytes of an old code page."""
    folder = tmp_path / os.fsdecode(b"Col\x8are") / "Faible"
    try:
        folder.mkdir(parents=True)
    except OSError:
        pytest.skip("this file system has no such names")
    (folder / "01-C-1-1.wav").touch()
    (utterance,) = corpus_of("cafe").scan(tmp_path)
    assert (utterance.id, utterance.labels) == ("01-C-1-1", {"emotion": "anger"})
    assert (tmp_path / utterance.file).is_file()


def test_speech_alone_is_a_part(tmp_path: Path) -> None:
    corpus = corpus_of("ravdess")
    utterances = corpus.scan(ravdess.write(tmp_path, outer=False, channels=("01",)))
    assert set(map(corpus.part_of, utterances)) == {"speech"}
    assert len(utterances) == 1440
    assert corpus.gaps(utterances) == ["song: none of it is here, and only tasks on song need it"]


def test_rejected_takes_of_emodb_do_not_count(trees: dict[str, Path]) -> None:
    listed = (trees["emodb"] / "erkennung.txt").read_text(encoding="latin-1")
    assert "03a01Wf" in listed
    assert "03a01Wf" not in {utterance.id for utterance in corpus_of("emodb").scan(trees["emodb"])}


def test_savee_says_when_nobody_knows_who_speaks(tmp_path: Path) -> None:
    (tmp_path / "a01.wav").touch()
    with pytest.raises(BenchError, match=r"the name and the folder of a01.wav do not say who speaks"):
        corpus_of("savee").scan(tmp_path)


def test_the_take_of_aesdd_without_audio_is_passed_over(trees: dict[str, Path], tmp_path: Path) -> None:
    """Whether it is here or not, the corpus is the same."""
    corpus = corpus_of("aesdd")
    shutil.copytree(trees["aesdd"], tmp_path, dirs_exist_ok=True)
    (tmp_path / f"sadness/{aesdd.WITHOUT_AUDIO}.wav").unlink()
    assert index_digest(corpus.scan(tmp_path)) == index_digest(corpus.scan(trees["aesdd"]))


def test_the_renamed_file_of_crema_d_keeps_its_id(tmp_path: Path) -> None:
    (tmp_path / "1040_ITH_SAD_XX.wav").touch()
    assert [utterance.id for utterance in corpus_of("crema_d").scan(tmp_path)] == ["1040_ITH_SAD_XX"]


HEARD = """"","A","D","F","H","N","S","fileName","numResponses"
"100001",0,0,0,0,9,0,"1001_DFA_ANG_XX",9
"200001",9,0,0,0,0,0,"1001_DFA_ANG_XX",9
"100002",6,4,0,0,0,1,"1001_DFA_DIS_XX",11
"300002",0,9,0,0,0,0,"1001_DFA_DIS_XX",9
"100003",5,5,0,0,1,1,"1001_DFA_FEA_XX",12
"107000",0,0,0,0,0,8,"1040_ITH_SAD_X",8
"""


def test_the_agreement_of_crema_d_is_that_of_those_who_had_the_sound_alone(tmp_path: Path) -> None:
    for name in ("1001_DFA_ANG_XX", "1001_DFA_DIS_XX", "1001_DFA_FEA_XX", "1001_DFA_HAP_XX", "1040_ITH_SAD_XX"):
        (tmp_path / f"{name}.wav").touch()
    table = tmp_path / "processedResults/tabulatedVotes.csv"
    table.parent.mkdir()
    table.write_text(HEARD)
    corpus = corpus_of("crema_d")
    assert {one.id: one.extra["agreement"] for one in corpus.scan(tmp_path)} == {
        "1001_DFA_ANG_XX": "full",
        "1001_DFA_DIS_XX": "majority",
        "1001_DFA_FEA_XX": "none",
        "1001_DFA_HAP_XX": None,
        "1040_ITH_SAD_XX": "full",
    }
    table.write_text(HEARD.replace(",6,4,", ",six,4,"))
    with pytest.raises(BenchError, match=r"tabulatedVotes\.csv, line 4: a number of votes is none"):
        corpus.scan(tmp_path)


def test_one_utterance_of_aesdd_is_improvised(trees: dict[str, Path]) -> None:
    utterances = corpus_of("aesdd").scan(trees["aesdd"])
    assert {one.extra["sentence"] for one in utterances if one.extra["style"] == "scripted"} == {
        f"{number:02d}" for number in range(1, 20)
    }
    improvised = [one for one in utterances if one.extra["style"] != "scripted"]
    assert {(one.id[1:3], one.extra["sentence"], one.extra["style"]) for one in improvised} == {
        ("20", None, "improvised")
    }


def test_genders_are_the_published_ones(trees: dict[str, Path]) -> None:
    def women(module: str) -> int:
        utterances = corpus_of(module).scan(trees[module])
        return len({utterance.speaker for utterance in utterances if utterance.gender == "female"})

    numbers = {"emodb": 5, "savee": 0, "ravdess": 12, "emovo": 3, "cafe": 6, "crema_d": 43, "tess": 2}
    assert {module: women(module) for module in numbers} == numbers


@pytest.mark.corpora
def test_three_real_actors_are_told_by_what_is_missing() -> None:
    root = Path(os.environ.get("BENCH_DATA", "/nowhere")) / "ravdess-3-actors"
    if not root.is_dir():
        pytest.skip("the three actors of RAVDESS are not at hand: set BENCH_DATA")
    corpus = corpus_of("ravdess")
    utterances = corpus.scan(root)
    assert Counter(utterance.speaker for utterance in utterances) == {"01": 60, "05": 60, "20": 60}
    assert Counter(utterance.labels["emotion"] for utterance in utterances)["neutral"] == 12
    assert corpus.gaps(utterances) == [
        "speech: 21 of 24 actors are missing: 02, 03, 04, 06, 07, 08, 09, 10, 11, 12 and 11 more",
        "song: none of it is here, and only tasks on song need it",
    ]
