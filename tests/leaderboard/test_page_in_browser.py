"""The page in a browser without a window: what its script does by mouse and keyboard, and that it asks for nothing."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from boards_factory import HOSTILE, hostile_board, large_board, small_board, sure_board

from benchmark.text import clean
from leaderboard.board import board
from leaderboard.page import Drawing, Figures, page

sync_api = pytest.importorskip("playwright.sync_api", reason="no browser can be driven: pip install playwright")

expect = sync_api.expect
pytestmark = pytest.mark.slow  # a second or two for each test

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
)
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
# As wide as a figure may be: it scrolls in its own frame.
WIDE = '<svg width="1600" height="300" role="img"><title>wide</title><path d="M0 0H1600"/></svg>'
MARKED = (
    '<svg width="300" height="60" role="img"><title>marked</title><g data-system="whisper-tiny + superb">'
    '<path d="M0 0"/></g><g data-system="mfcc + superb"><path d="M9 9"/></g></svg>'
)
FIGURES = Figures((Drawing(WIDE), Drawing(MARKED, "urdu")), {"urdu": (WIDE,)})


@pytest.fixture(scope="module")
def browser() -> Iterator:
    with sync_api.sync_playwright() as playwright:
        found = next((path for path in map(shutil.which, BROWSERS) if path), None)
        try:
            started = playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        except sync_api.Error as error:
            if found is not None:
                raise
            pytest.skip(f"there is no browser: {error}")
        yield started
        started.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    contents = {
        "small": page(small_board(), FIGURES),
        "hostile": page(hostile_board(), Figures()),
        "empty": page(board()),
        "sure": page(sure_board(), Figures()),
        "long": page(large_board(tasks=1, systems=20), Figures()),
    }
    for name, content in contents.items():
        (folder / f"{name}.html").write_bytes(content)
    return {name: folder / f"{name}.html" for name in contents}


class Visit:
    """A page that is open, with all that it said and asked for."""

    def __init__(self, browser, file: Path, *, asking: dict[str, str] | None = None, **options) -> None:
        self.context = browser.new_context(**{"viewport": DESKTOP, "color_scheme": "light", **options})
        self.context.set_default_timeout(15_000)
        self.page = self.context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.said.append(dialog.message), dialog.dismiss()))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.address = f"{file.as_uri()}?{urlencode(asking)}" if asking else file.as_uri()
        self.page.goto(self.address)

    def table(self, task: str, track: str = "fixed"):
        return self.section(task).locator(f".part[data-track='{track}']")

    def section(self, task: str):
        return self.page.locator("section.task").filter(has=self.page.get_by_role("heading", name=task, exact=True))

    def cells(self, task: str, column: int):
        return self.table(task).locator(f"tbody td:nth-child({column})")

    def systems(self, task: str):
        return self.table(task).locator("tbody button.system")

    def said_in_address(self) -> dict[str, str]:
        """What the address of the page says beside where it lies."""
        return {name: value for name, (value,) in parse_qs(urlsplit(self.page.url).query).items()}

    @property
    def tasks(self):
        return self.page.locator("section.task:visible h4")

    def choose(self, what: str, value: str) -> None:
        self.page.locator("form").get_by_label(what, exact=True).select_option(value)

    @property
    def shown(self):
        return self.page.locator("output")


def has(locator, *texts: str) -> None:
    """The elements that are there show these texts, now or soon.

    A page's script runs in its own time, so that nothing is read at once; and nothing is waited for by a script in
    the page, which its own policy forbids.
    """
    expect(locator).to_have_text(texts, use_inner_text=True)


def titled(table, title: str):
    """The header cell of a column."""
    return table.locator("thead th").filter(has_text=re.compile(f"^{re.escape(title)}$"))


@pytest.fixture
def visit(browser, files) -> Iterator:
    """Opens pages; whatever is done with them, they say nothing and ask for nothing but themselves."""
    visits: list[Visit] = []

    def open_page(name: str = "small", **options) -> Visit:
        visits.append(Visit(browser, files[name], **options))
        return visits[-1]

    yield open_page
    for one in visits:
        assert one.said == []
        assert set(one.asked) == {one.address}
        one.context.close()


# -- sorting ----------------------------------------------------------------------------------------------------------


def test_a_click_on_a_title_sorts_and_another_one_turns_round(visit) -> None:
    opened = visit()
    has(opened.systems("urdu"), "whisper-tiny", "egemaps", "mfcc", "wavlm-base")
    title = titled(opened.table("urdu"), "system")
    title.click()
    expect(opened.systems("urdu")).to_have_text(["egemaps", "mfcc", "wavlm-base", "whisper-tiny"])
    expect(title).to_have_attribute("aria-sort", "ascending")
    title.click()
    expect(opened.systems("urdu")).to_have_text(["whisper-tiny", "wavlm-base", "mfcc", "egemaps"])
    expect(title).to_have_attribute("aria-sort", "descending")
    has(opened.systems("mine-dims"), "my-own", "mfcc")


def test_numbers_sort_as_numbers_with_the_highest_first(visit) -> None:
    opened = visit()
    metric = next(one.analysis for one in small_board().sections if one.task.name == "urdu").metric
    for title in (metric.title, "from, to"):
        titled(opened.table("urdu"), "system").click()
        expect(opened.systems("urdu").first).to_have_text("egemaps")
        header = titled(opened.table("urdu"), title)
        header.click()
        expect(header).to_have_attribute("aria-sort", "descending")
        expect(opened.systems("urdu")).to_have_text(["whisper-tiny", "egemaps", "mfcc", "wavlm-base"])


def test_the_keyboard_sorts(visit) -> None:
    opened = visit()
    title = titled(opened.table("urdu"), "system")
    title.locator("[tabindex='0']").focus()
    opened.page.keyboard.press("Enter")
    expect(opened.systems("urdu").first).to_have_text("egemaps")
    expect(title).to_have_attribute("aria-sort", "ascending")


def test_the_overview_sorts_by_a_task(visit) -> None:
    opened = visit()
    overview = opened.page.locator("table.overview").first
    first = overview.locator("tbody button.system").first
    titled(overview, "system").click()
    expect(first).to_have_text("egemaps")
    column = overview.locator("thead th[data-task]").first
    expect(column).to_contain_text("Urdu · UAR")
    column.locator(".of").click()
    expect(first).to_have_text("whisper-tiny")


# -- filters ----------------------------------------------------------------------------------------------------------


def test_tasks_are_filtered_by_group(visit) -> None:
    opened = visit()
    has(opened.tasks, "urdu", "mine-dims", "urdu-random ⚠")
    has(opened.shown, "3 of 3 tasks, 9 of 9 rows")
    opened.choose("Tasks", "dimensions")
    has(opened.tasks, "mine-dims")
    has(opened.shown, "1 of 3 tasks, 2 of 9 rows")
    has(opened.page.locator("table.overview").first.locator("th[data-task] a"), "mine-dims")
    has(opened.page.locator("table.winners tr:visible a:not(.weights)"), "mine-dims")
    expect(opened.page.get_by_role("heading", name="Speaker-dependent tasks")).not_to_be_visible()
    opened.choose("Tasks", "speaker-dependent")
    has(opened.tasks, "urdu-random ⚠")
    expect(opened.page.locator("table.overview:visible, table.winners:visible")).to_have_count(0)
    expect(opened.page.get_by_role("heading", name="Overview", exact=True)).not_to_be_visible()


def test_tasks_are_filtered_by_language_called_by_its_name(visit) -> None:
    opened = visit()
    has(opened.page.get_by_label("Language", exact=True).locator("option"), "all", "Urdu", "language not known")
    opened.choose("Language", "Urdu")
    has(opened.tasks, "urdu", "urdu-random ⚠")


def test_systems_are_filtered_by_family(visit) -> None:
    opened = visit()
    opened.choose("Upstreams", "Whisper")
    has(opened.tasks, "urdu", "urdu-random ⚠")
    has(opened.systems("urdu"), "whisper-tiny")
    has(opened.page.locator("table.overview:visible tbody button.system"), "whisper-tiny")
    has(opened.shown, "2 of 3 tasks, 2 of 9 rows")


def test_systems_are_filtered_by_track(visit) -> None:
    opened = visit()
    opened.choose("Track", "open head")
    has(opened.tasks, "urdu")
    expect(opened.page.locator(".task .part:visible h5").first).to_have_text(re.compile("^open head"))
    expect(opened.page.locator("table.overview:visible")).to_have_count(1)


def test_systems_are_filtered_by_name_and_all_comes_back(visit) -> None:
    opened = visit()
    opened.page.get_by_label("System", exact=True).fill("EGEMAPS + sv")
    has(opened.tasks, "urdu")
    has(opened.shown, "1 of 3 tasks, 1 of 9 rows")
    opened.page.get_by_role("button", name="Reset").click()
    has(opened.shown, "3 of 3 tasks, 9 of 9 rows")
    expect(opened.tasks).to_have_count(3)


def test_nothing_may_be_left(visit) -> None:
    opened = visit()
    opened.page.get_by_label("System", exact=True).fill("no such thing")
    has(opened.tasks)
    has(opened.shown, "0 of 3 tasks, 0 of 9 rows")
    empty = opened.page.locator(".nothing")
    expect(empty).to_be_visible()
    expect(opened.page.locator("section.block:visible")).to_have_count(0)
    opened.page.get_by_role("button", name="Show everything").click()
    expect(empty).not_to_be_visible()
    has(opened.shown, "3 of 3 tasks, 9 of 9 rows")


def test_filters_act_on_figures(visit) -> None:
    opened = visit()
    figure = opened.page.locator("figure[data-task]")
    dimmed = figure.locator("[data-system].dim")
    expect(dimmed).to_have_count(0)
    opened.choose("Upstreams", "Whisper")
    expect(dimmed).to_have_attribute("data-system", "mfcc + superb")
    opened.page.get_by_role("button", name="Reset").click()
    expect(dimmed).to_have_count(0)
    opened.choose("Tasks", "dimensions")
    expect(figure).not_to_be_visible()
    expect(opened.page.locator("figure:visible")).to_have_count(1)


def test_filters_live_in_the_address(visit) -> None:
    opened = visit()
    opened.choose("Language", "Urdu")
    opened.page.get_by_label("System", exact=True).fill("whisper-tiny + s")
    has(opened.shown, "2 of 3 tasks, 2 of 9 rows")
    said = {"language": "Urdu", "text": "whisper-tiny + s"}
    assert opened.said_in_address() == said
    again = visit(asking=said)
    has(again.shown, "2 of 3 tasks, 2 of 9 rows")
    expect(again.page.get_by_label("Language", exact=True)).to_have_value("Urdu")
    opened.page.get_by_role("button", name="Reset").click()
    has(opened.shown, "3 of 3 tasks, 9 of 9 rows")
    assert opened.said_in_address() == {}
    strange = visit(asking={"language": "<b>", "group": "no such", "card": "x", "a": "y", "b": "z"})
    has(strange.shown, "3 of 3 tasks, 9 of 9 rows")


def test_on_a_phone_filters_are_folded(visit) -> None:
    opened = visit(viewport=PHONE)
    choice = opened.page.get_by_label("Language", exact=True)
    expect(choice).not_to_be_visible()
    opened.page.get_by_role("button", name="Filters").click()
    expect(choice).to_be_visible()


# -- what stands behind a score ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["hover", "focus"])
def test_a_score_tells_what_stands_behind_it(visit, how: str) -> None:
    opened = visit()
    tip = opened.page.get_by_role("tooltip")
    expect(tip).not_to_be_visible()
    score = opened.table("urdu").locator("td.score > span").first
    getattr(score, how)()
    for part in ("640 utterances of 16 speakers (worth 16.0 of equal weight)", "seeds", "folds", "version 1, sha256"):
        expect(tip).to_contain_text(part, use_inner_text=True)
    expect(score).to_have_attribute("aria-describedby", "tip")
    box = tip.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= DESKTOP["width"]
    opened.page.keyboard.press("Escape")
    expect(tip).not_to_be_visible()


def test_scores_can_be_reached_by_the_tab_key(visit) -> None:
    opened = visit()
    opened.table("urdu").get_by_role("button", name="mfcc", exact=True).focus()
    opened.page.keyboard.press("Tab")
    expect(opened.page.get_by_role("tooltip")).to_be_visible()


# -- comparison with every other system -------------------------------------------------------------------------------


@pytest.mark.parametrize(("how", "system"), [("click", "egemaps"), ("Enter", "mfcc")])
def test_a_system_opens_its_pairs_and_escape_closes_them(visit, how: str, system: str) -> None:
    opened = visit()
    name = f"{system} + superb"
    button = opened.table("urdu").get_by_role("button", name=system, exact=True)
    dialog = opened.page.get_by_role("dialog")
    expect(dialog).not_to_be_visible()
    if how == "click":
        button.click()
    else:
        button.focus()
        opened.page.keyboard.press("Enter")
    has(dialog.get_by_role("heading", level=2), name)
    analysis = next(one.analysis for one in small_board().sections if one.task.name == "urdu")
    rows = [row.locator("td").all_inner_texts() for row in dialog.locator("table.pairs tbody tr").all()]
    assert {row[0] for row in rows} == {one.name for one in analysis.cells} - {name}
    for other, delta, _, interval, _, _, verdict, _ in rows:
        pair = analysis.pairs[name, other]
        assert float(delta.replace("−", "-")) == pytest.approx(100 * pair.delta, abs=0.06)
        ends = [float(end) for end in interval.replace("−", "-").strip("[]").split(", ")]
        assert ends == pytest.approx([100 * pair.low, 100 * pair.high], abs=0.06)
        better, worse = analysis.better(name, other), analysis.better(other, name)
        assert verdict == ("better" if better else "worse" if worse else "cannot be told apart")
    assert {row[-2] for row in rows} & {"better", "worse"}
    opened.page.keyboard.press("Escape")
    expect(dialog).not_to_be_visible()
    expect(button).to_be_focused()


def test_the_pairs_of_an_error_and_of_the_second_system_are_mirrored(visit) -> None:
    opened = visit()
    texts = {}
    for name in ("my-own", "mfcc"):
        opened.table("mine-dims").get_by_role("button", name=name, exact=True).click()
        has(opened.page.get_by_role("dialog").get_by_role("heading", level=2), f"{name} + superb")
        texts[name] = opened.page.locator("dialog table.pairs tbody td").all_inner_texts()
        opened.page.get_by_role("button", name="Close").click()
    assert texts["my-own"][0] == "mfcc + superb"
    assert texts["my-own"][1] == texts["mfcc"][1].replace("−", "+")
    assert [texts["my-own"][-2], texts["mfcc"][-2]] == ["better", "worse"]


def test_pairs_can_be_sorted_and_closed_outside(visit) -> None:
    opened = visit()
    opened.table("urdu").get_by_role("button", name="mfcc", exact=True).click()
    dialog = opened.page.get_by_role("dialog")
    titled(dialog, "against").click()
    expect(dialog.locator("table.pairs tbody td:first-child")).to_have_text(
        ["egemaps + superb", "egemaps + svm", "whisper-tiny + superb"]
    )
    opened.page.mouse.click(4, 4)
    expect(dialog).not_to_be_visible()


def test_an_incomplete_system_says_why_it_has_no_pairs(visit) -> None:
    opened = visit()
    opened.table("urdu").get_by_role("button", name="wavlm-base").click()
    dialog = opened.page.get_by_role("dialog")
    expect(dialog).to_contain_text("It is not complete")
    expect(dialog.locator("table.pairs")).to_have_count(0)


# -- the card of a row -------------------------------------------------------------------------------------------------


def card_of(opened, system: str, task: str = "urdu"):
    opened.table(task).get_by_role("button", name=system, exact=True).click()
    return opened.page.get_by_role("dialog")


def test_a_card_tells_what_a_model_is_and_links_to_it(visit) -> None:
    dialog = card_of(visit(), "whisper-tiny")
    expect(dialog).to_contain_text("MIT or Apache 2.0")
    expect(dialog).to_contain_text("8.2 M parameters, 5 layers of 384")
    weights = dialog.get_by_role("link", name="openai/whisper-tiny")
    expect(weights).to_have_attribute("href", re.compile("^https://huggingface.co/openai/whisper-tiny/tree/"))
    expect(dialog.locator("pre").first).to_have_text(
        "bench run --task urdu --upstream whisper-tiny --downstream superb"
    )


def test_the_command_of_a_card_is_copied_or_chosen(visit) -> None:
    opened = visit(permissions=["clipboard-read", "clipboard-write"])
    dialog = card_of(opened, "mfcc")
    dialog.get_by_role("button", name="Copy").click()
    expect(dialog.get_by_role("status")).to_have_text(re.compile("copied|selected"))


def test_a_card_has_all_tasks_of_its_system_and_goes_to_them(visit) -> None:
    opened = visit()
    dialog = card_of(opened, "mfcc")
    rows = dialog.locator("table.everywhere tbody tr")
    has(rows.locator("td:first-child"), "urdu", "mine-dims", "urdu-random ⚠")
    expect(rows.first).to_have_class("chosen")
    expect(rows.first).to_contain_text("3 of 3 fixed")
    known = next(one for one in small_board().sections if one.task.name == "urdu-random").groups[0].places
    score = next(place.row.scores["uar"].mean for place in known if place.row.cell.upstream.name == "mfcc")
    expect(rows.first.locator("td.known")).to_have_text(f"{100 * score:.1f}")
    rows.nth(1).get_by_role("button").click()
    expect(rows.nth(1)).to_have_class("chosen")
    expect(rows.nth(1).get_by_role("button")).to_be_focused()
    has(dialog.get_by_role("heading", level=2), "mfcc + superb")
    assert opened.said_in_address() == {"card": "mfcc + superb", "task": "mine-dims"}


def test_a_card_draws_its_speakers_and_tells_its_cost(visit) -> None:
    dialog = card_of(visit(), "mfcc")
    expect(dialog.locator(".plot .dot")).to_have_count(16)
    expect(dialog.locator(".plot .chance")).to_have_count(1)
    expect(dialog).to_contain_text("16 speakers")
    expect(dialog).to_contain_text("900 s for an hour of speech")
    expect(dialog).to_contain_text("12.0 s fitting 6 units")


def test_a_card_draws_how_far_probabilities_can_be_believed(visit) -> None:
    opened = visit("sure", asking={"card": "mfcc + superb"})
    dialog = opened.page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", level=3, name="How far its probabilities")).to_be_visible()
    table = dialog.locator("table.believed")
    has(table.locator("thead th"), "", "before", "from, to", "after", "from, to")
    has(table.locator("tbody th"), "ECE", "Brier score", "NLL")
    assert len(set(table.locator("tbody tr").first.locator("td").all_inner_texts())) == 4
    expect(dialog).to_contain_text("2.50, fitted on dev")
    states = dialog.locator(".plot .state")
    has(dialog.locator(".state-key"), "as the head gives them", "after the temperature")
    # a head that is always 90 % sure, of which about 60 % are right
    for state, sure in (("before", 90.0), ("after", 57.5)):
        (mark,) = states.and_(dialog.locator(f".{state}")).locator("circle").all()
        expect(mark.locator("title")).to_contain_text(f"{sure} % sure, ")
        assert float(mark.get_attribute("cx")) == pytest.approx(40 + 250 * sure / 100, abs=0.1)
    below = float(states.first.locator("circle").get_attribute("cy"))
    assert below > 262 - 252 * 0.9, "below the diagonal: too sure"


def test_a_card_says_why_probabilities_have_no_after_or_are_not_there(visit) -> None:
    opened = visit("sure", asking={"card": "egemaps + superb"})
    dialog = opened.page.get_by_role("dialog")
    has(dialog.locator("table.believed thead th"), "", "before", "from, to")
    expect(dialog).to_contain_text("none: fitted on dev")
    expect(dialog.locator(".plot .state")).to_have_count(1)
    opened = visit("sure", asking={"card": "egemaps + svm"})
    expect(opened.page.get_by_role("dialog")).to_contain_text("Its head gives no probabilities.")
    opened = visit("sure", asking={"card": "logmel + superb"})
    expect(opened.page.get_by_role("dialog")).to_contain_text("Its records hold no sums of probabilities")
    expect(opened.page.locator("table.believed")).to_have_count(0)
    opened = visit(asking={"card": "my-own + superb"})
    expect(opened.page.get_by_role("dialog")).not_to_contain_text("probabilities")


def test_columns_of_one_kind_can_be_chosen(visit) -> None:
    opened = visit("sure")
    titles = opened.page.locator("table.systems").first.locator("thead th")
    always = ["rank", "system", "UAR", re.compile("95 % interval"), "letters"]
    believed = ["ECE", "Brier\N{NO-BREAK SPACE}score", "NLL"]
    believed = [*believed, *(f"{title} after" for title in believed), "temperature"]
    every = titles.count()
    opened.choose("Columns", "probabilities")
    expect(titles).to_have_text([*always, *believed], use_inner_text=True)
    assert opened.said_in_address() == {"columns": "probabilities"}
    titles.get_by_text("ECE", exact=True).click()
    shown = [
        float(text)
        for text in opened.page.locator("table.systems").first.locator("td:nth-child(6)").all_inner_texts()
        if text != "–"
    ]
    assert shown == sorted(shown)
    assert len(shown) == 2
    opened.choose("Columns", "ranks")
    expect(titles).to_have_text([*always, "possible", "from, to", "flags"], use_inner_text=True)
    opened.choose("Columns", "all")
    expect(titles).to_have_count(every)


def test_a_card_can_be_shared_as_a_link_and_its_address_goes_when_it_closes(visit) -> None:
    opened = visit(asking={"card": "egemaps + svm", "task": "urdu"})
    dialog = opened.page.get_by_role("dialog")
    has(dialog.get_by_role("heading", level=2), "egemaps + svm")
    opened.page.keyboard.press("Escape")
    expect(dialog).not_to_be_visible()
    opened.page.wait_for_url(lambda address: "card=" not in address)  # told when it has closed, a moment later
    assert opened.said_in_address() == {}


def test_a_score_of_the_overview_opens_its_card(visit) -> None:
    opened = visit()
    opened.page.locator("table.overview td.strip").first.click()
    expect(opened.page.get_by_role("dialog").get_by_role("heading", level=2)).to_contain_text(" + superb")


# -- two systems ------------------------------------------------------------------------------------------------------


def test_two_systems_are_compared_on_every_common_task(visit) -> None:
    opened = visit()
    opened.page.get_by_role("button", name="Compare two systems").click()
    dialog = opened.page.get_by_role("dialog")
    dialog.get_by_label("first").select_option("mfcc + superb")
    dialog.get_by_label("second").select_option("whisper-tiny + superb")
    rows = [row.locator("td").all_inner_texts() for row in dialog.locator("tbody tr").all()]
    assert [row[0] for row in rows] == ["urdu", "urdu-random ⚠"]
    for section, row in zip((small_board().sections[0], small_board().sections[2]), rows, strict=True):
        pair = section.analysis.pairs["mfcc + superb", "whisper-tiny + superb"]
        assert float(row[3].replace("−", "-")) == pytest.approx(100 * pair.delta, abs=0.06)
        for text, p in ((row[6], pair.p), (row[7], pair.p_adjusted)):
            assert text == ("< 0.001" if p < 0.001 else f"{p:.3f}")
        assert row[8] == ("worse" if pair.significant else "cannot be told apart")
    expect(dialog.locator("pre")).to_have_text("bench compare mfcc+superb whisper-tiny+superb --published")
    said = {"a": "mfcc + superb", "b": "whisper-tiny + superb"}
    assert opened.said_in_address() == said
    again = visit(asking=said)
    expect(again.page.get_by_role("dialog").locator("tbody tr")).to_have_count(2)


def test_a_card_leads_to_a_comparison(visit) -> None:
    opened = visit()
    dialog = card_of(opened, "mfcc")
    dialog.get_by_role("button", name="Compare with egemaps + svm on every task").click()
    has(dialog.get_by_role("heading", level=2), "Compare two systems")
    expect(dialog.get_by_label("first")).to_have_value("mfcc + superb")
    expect(dialog.get_by_label("second")).to_have_value("egemaps + svm")


def test_systems_without_a_common_task_and_equal_ones_say_so(visit) -> None:
    opened = visit(asking={"a": "my-own + superb", "b": "egemaps + svm"})
    dialog = opened.page.get_by_role("dialog")
    expect(dialog).to_contain_text("No task has a complete row of both.")
    dialog.get_by_label("first").select_option("egemaps + svm")
    expect(dialog).to_contain_text("Choose two different systems.")


# -- how it looks -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["small", "hostile", "empty"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_page_itself_never_scrolls_sideways(visit, name: str, viewport: dict[str, int]) -> None:
    opened = visit(name, viewport=viewport)
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    buttons = opened.page.locator("button.system")
    if buttons.count():
        buttons.first.click()
        box = opened.page.get_by_role("dialog").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= viewport["width"]
        assert box["height"] <= viewport["height"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_light_and_dark(visit, scheme: str) -> None:
    """WCAG 2.2, success criterion 1.4.3: a contrast of at least 4.5."""
    opened = visit(color_scheme=scheme)

    def luminance(colour: str) -> float:
        parts = [float(part) / 255 for part in re.findall(r"[\d.]+", colour)[:3]]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    def colour(selector: str, what: str) -> str:
        return opened.page.locator(selector).first.evaluate(f"element => getComputedStyle(element).{what}")

    paper = luminance(colour("body", "backgroundColor"))
    assert (paper > 0.9) == (scheme == "light")
    for selector in (
        "h1",
        ".caption",
        "button.system",
        "th",
        "td",
        ".tag.warning",
        ".notes",
        ".shown",
        ".numbers",
        "a",
        "figure svg",
    ):
        back = luminance(colour(selector, "backgroundColor")) if selector == ".tag.warning" else paper
        low, high = sorted((luminance(colour(selector, "color")), back))
        assert (high + 0.05) / (low + 0.05) >= 4.5, selector


def test_first_columns_stay_where_a_table_scrolls(visit) -> None:
    opened = visit(viewport=PHONE)
    frame = opened.table("urdu").locator(".scrolls")
    first = [frame.locator("tbody td").nth(number) for number in (0, 1)]
    before = [cell.bounding_box()["x"] for cell in first]
    frame.evaluate("element => { element.scrollLeft = 300 }")
    assert frame.evaluate("element => element.scrollLeft") > 100
    assert [cell.bounding_box()["x"] for cell in first] == pytest.approx(before, abs=1)


def test_intervals_are_drawn_where_their_numbers_say(visit) -> None:
    opened = visit()
    row = opened.table("urdu").locator("tbody tr").first
    low, high = map(float, row.locator("td").nth(6).inner_text().strip("[]").split(", "))
    frame, span = (row.locator(selector).bounding_box() for selector in ("svg", "svg .span"))
    ticks = [float(text) for text in opened.table("urdu").locator(".axis span").all_inner_texts()]

    def value(x: float) -> float:
        return ticks[0] + (x - frame["x"]) / frame["width"] * (ticks[-1] - ticks[0])

    # a stroke is drawn to both sides of its line
    assert value(span["x"]) == pytest.approx(low, abs=1)
    assert value(span["x"] + span["width"]) == pytest.approx(high, abs=1)


def test_without_a_script_it_can_be_read(visit) -> None:
    opened = visit(java_script_enabled=False)
    has(opened.systems("urdu"), "whisper-tiny", "egemaps", "mfcc", "wavlm-base")
    expect(opened.page.locator("form.filters")).not_to_be_visible()
    expect(opened.page.locator("table.overview").first).to_be_visible()
    for needs_script in ("Compare two systems", "Show everything"):
        expect(opened.page.get_by_role("button", name=needs_script)).not_to_be_visible()


def test_on_a_phone_the_interval_is_visible_without_scrolling(visit) -> None:
    opened = visit(viewport=PHONE)
    for table in ("section.task table.systems", "table.overview", "table.winners"):
        row = opened.page.locator(table).first.locator("tbody tr").first
        row.scroll_into_view_if_needed()
        box = row.locator(".interval .span").first.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"], table


def test_on_a_phone_the_tasks_of_a_comparison_can_be_read(visit) -> None:
    opened = visit(viewport=PHONE, asking={"a": "mfcc + superb", "b": "whisper-tiny + superb"})
    names = opened.page.get_by_role("dialog").locator("table.pairs tbody td:first-child")
    has(names, "urdu", "urdu-random ⚠")
    assert names.first.bounding_box()["height"] < 2.5 * 16, "in one line"
    difference = opened.page.get_by_role("dialog").locator("table.pairs tbody td:nth-child(4)").first.bounding_box()
    assert difference["x"] + difference["width"] <= PHONE["width"], "without scrolling"


@pytest.mark.parametrize("width", [1400, 900])
def test_a_link_to_a_task_leads_below_the_filters(visit, width: int) -> None:
    opened = visit("long", viewport={"width": width, "height": 700})
    opened.page.get_by_role("link", name="task-0").first.click()
    heading = opened.page.get_by_role("heading", name="task-0").bounding_box()
    filters = opened.page.locator("form.filters").bounding_box()
    assert heading["y"] >= filters["y"] + filters["height"]
    assert filters["y"] == 0, "they stay in sight"


def test_wide_tables_say_that_they_go_on_until_their_end(visit) -> None:
    opened = visit(viewport=PHONE)
    frame = opened.table("urdu").locator(".scrolls")
    frame.scroll_into_view_if_needed()
    hint = opened.table("urdu").locator(".goes-on-hint")
    expect(hint).to_be_visible()
    expect(frame).to_have_class(re.compile("goes-on"))
    frame.evaluate("element => { element.scrollLeft = element.scrollWidth }")
    expect(hint).not_to_be_visible()
    expect(frame).not_to_have_class(re.compile("goes-on"))


def test_long_tables_begin_with_their_first_rows(visit) -> None:
    opened = visit("long")
    table = opened.page.locator("section.task .part").first
    rows = table.locator("tbody tr:visible")
    expect(rows).to_have_count(12)
    table.get_by_role("button", name="Show all 20 rows").click()
    expect(rows).to_have_count(20)
    expect(table.get_by_role("button", name="Show all")).not_to_be_visible()
    expect(table.locator("tbody tr").nth(12).locator("button.system")).to_be_focused()


# -- names that would be something else -------------------------------------------------------------------------------


def test_hostile_names_stay_names(visit) -> None:
    opened = visit("hostile")
    expect(opened.page.locator("img, iframe, main script")).to_have_count(0)
    for index in range(len(HOSTILE)):
        button = opened.page.locator("section.task button.system").nth(index)
        button.scroll_into_view_if_needed()
        row = button.locator("xpath=ancestor::tr")
        row.locator("td.score > span").hover()
        expect(opened.page.get_by_role("tooltip")).to_be_visible()
        button.click()
        expect(opened.page.get_by_role("dialog")).to_be_visible()
        opened.page.keyboard.press("Escape")
    opened.page.locator("section.task", has_text="Toy, four emotions").locator("button.system").first.click()
    others = opened.page.locator("dialog table.pairs tbody td:first-child")
    expect(others).to_have_count(len(HOSTILE) - 1)
    texts = set(others.all_inner_texts())
    shown = {clean(f"{name} + superb") for name in HOSTILE}
    assert len(texts) == len(HOSTILE) - 1
    assert texts < shown
    expect(opened.page.locator("dialog").locator("img, script")).to_have_count(0)


def test_the_policy_holds_where_escaping_would_fail(browser, files, tmp_path) -> None:
    """What a name would do if it did get into the page as HTML: nothing."""
    broken = tmp_path / "broken.html"
    markup = """
        <script>alert(1)</script>
        <img src="http://127.0.0.1:9/x" onerror="alert(2)">
        <a href="javascript:alert(3)" id="bad">x</a>
    """
    broken.write_bytes(files["small"].read_bytes().replace(b"<main>", b"<main>" + markup.encode(), 1))
    opened = Visit(browser, broken)
    opened.page.locator("#bad").click()
    refused = [text for text in opened.said if "Content Security Policy" in text]
    assert len(refused) >= 3
    assert [text for text in opened.said if text in ("1", "2", "3")] == []
    has(opened.systems("urdu"), "whisper-tiny", "egemaps", "mfcc", "wavlm-base")
    opened.context.close()
