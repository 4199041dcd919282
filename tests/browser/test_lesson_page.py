"""The lesson page in Chromium: what is seen is what is stored, and everybody can reach it."""

from __future__ import annotations

import itertools
import json
import re

import numpy as np
import pytest
from selenium.webdriver.support.ui import WebDriverWait

from symbreak.lesson.page import digits, lesson_data, planes, rendered
from tests.browser.accessibility import faint, nameless, unreached
from tests.browser.driver import Browser, browser_or_skip
from tests.lesson.page_scenes import blobs
from tests.lesson.test_page_structure import HOSTILE, STEPS

pytestmark = pytest.mark.slow

SIDES = ("left", "right")
OPEN_PANELS = "document.querySelectorAll('details').forEach(e => { e.open = true; })"
NONE = "\N{EN DASH}"
CELLS = """
return [...document.querySelectorAll(arguments[0])].map(r => [...r.cells].map(c => c.textContent))
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A lesson of a few updates, on disk, and its data."""
    browser_or_skip()
    data = lesson_data([digits().at_most(200, 0), *planes(seed=0)], updates=6)
    path = tmp_path_factory.mktemp("lesson") / "lesson.html"
    path.write_text(rendered(data), encoding="utf-8")
    return path, json.loads(json.dumps(data))


@pytest.fixture(scope="module")
def chromium():
    browser = Browser()
    yield browser
    browser.close()


@pytest.fixture
def opened(chromium, page):
    chromium.open(page[0])
    chromium.console()
    chromium.requests()
    return chromium


def text(browser, selector):
    return browser.js("return document.querySelector(arguments[0]).textContent", selector)


def number(words):
    return float(words.replace("\N{MINUS SIGN}", "-"))


def choose(browser, name, value):
    browser.js(
        "const e = document.getElementById(arguments[0]); e.value = arguments[1];"
        "e.dispatchEvent(new Event('change'))", name, value,
    )  # fmt: skip


def slide(browser, index):
    browser.js(
        "const e = document.querySelector('#slider input'); e.value = arguments[0];"
        "e.dispatchEvent(new Event('input'))", index,
    )  # fmt: skip


def shown(browser):
    """The settings that the controls show."""
    ids = [
        "data-choice",
        "method-choice",
        *(f"{s}-{c}" for s in SIDES for c in ("start", "hidden")),
    ]
    return browser.js(
        "return [...arguments[0].map(id => document.getElementById(id).value),"
        "Number(document.querySelector('#slider input').value)]", ids,
    )  # fmt: skip


def stored(data, browser, side):
    """The scene, the network and the snapshot that the controls choose."""
    key, method, *rest, _ = shown(browser)
    start, hidden = rest[:2] if side == "left" else rest[2:]
    scene = next(scene for scene in data["scenes"] if scene["key"] == key)
    network = next(network for network in scene["networks"] if network["hidden"] == hidden)
    snapshots = network["runs"][f"{method}/{start}"]["snapshots"]
    words = text(browser, "#slider output")
    mark = int(words.split(" of ")[0])
    assert words.endswith(f" of {scene['updates']}")
    snapshot = [found for found in snapshots if found["updates"] <= mark][-1]
    return scene, network, snapshot


def check_all(browser, data):
    """Everything drawn for both sides equals what is stored."""
    for side in SIDES:
        scene, network, snapshot = stored(data, browser, side)
        check_numbers(browser, side, snapshot)
        check_network(browser, side, network, snapshot)
        check_units(browser, side, scene, network, snapshot)
        check_map(browser, side, scene, snapshot)


def check_numbers(browser, side, snapshot):
    J, accuracy, distinct, rank = browser.js(
        "return [...document.querySelectorAll(arguments[0])].map(e => e.textContent)",
        f"#{side}-numbers dd",
    )
    assert number(J) == snapshot["J"]
    assert number(accuracy) == snapshot["accuracy"]
    assert [int(words.split()[0]) for words in distinct.split(", ") if words != NONE] == snapshot[
        "distinct"
    ]
    assert int(rank) == snapshot["rank"]


def check_network(browser, side, network, snapshot):
    edges = browser.js(
        "return [...document.querySelectorAll(arguments[0])].map(e => [e.dataset.weight,"
        "Number(e.dataset.group), getComputedStyle(e).stroke, e.classList.contains('mirrored'),"
        "e.querySelector('title').textContent])", f"#{side}-network path.edge",
    )  # fmt: skip
    names = [name for rows in network["picture"]["names"] for row in rows for name in row]
    weights = [w for Theta in snapshot["weights"] for row in Theta for w in row]
    classes = [c for Theta in snapshot["classes"] for row in Theta for c in row]
    assert [float(edge[0]) for edge in edges] == weights
    assert [edge[1] for edge in edges] == classes
    assert [edge[3] for edge in edges] == [label < 0 for label in classes]
    for (_, _, _, _, tip), name in zip(edges, names, strict=True):
        assert tip.startswith(f"{name} = ")
    colours: dict[int, str] = {}
    for _, label, colour, _, _ in edges:
        assert colours.setdefault(abs(label), colour) == colour
    grey = colours.pop(0, None)
    assert grey not in colours.values()


def check_units(browser, side, scene, network, snapshot):
    points = browser.js(
        "return [...document.querySelectorAll(arguments[0])].map(e => [e.dataset.a,"
        "Number(e.getAttribute('cx')), Number(e.getAttribute('cy'))])",
        f"#{side}-activations circle",
    )  # fmt: skip
    rows = {
        part: browser.js(CELLS, f"#{side}-{part} tbody tr") for part in ("deltas", "derivatives")
    }
    if "a" not in snapshot:
        assert points == rows["deltas"] == rows["derivatives"] == []
        return
    pairs = list(zip(*snapshot["a"], strict=True))
    assert [tuple(map(float, point[0].split(","))) for point in points] == pairs
    for (one, other), (_, x, y) in zip(pairs, points, strict=True):
        assert (x - 38) / 250 == pytest.approx(one)
        assert 1 - (y - 12) / 250 == pytest.approx(other)
    few = scene["few"]
    columns = [*([a[place] for place in few] for a in snapshot["a"]), *snapshot["delta"]]
    wanted = [[column[i] for column in columns] for i in range(len(few))]
    caption = text(browser, f"#{side}-activations figcaption")
    assert caption.startswith("a₁ = a₂ for all") == (snapshot["a_gap"] == 0)
    assert [[number(cell) for cell in row[1:]] for row in rows["deltas"]] == wanted
    assert [[row[0], row[2]] for row in rows["derivatives"]] == network["pairs"]
    seen = [[number(row[place]) for place in (1, 3)] for row in rows["derivatives"]]
    assert seen == snapshot["derivatives"]
    told = [row[4] for row in rows["derivatives"]]
    assert [0 if words == "equal" else number(words) for words in told] == snapshot["gaps"]
    caption = text(browser, f"#{side}-derivatives caption")
    assert caption.startswith(f"{snapshot['gaps'].count(0)} of ")


def check_map(browser, side, scene, snapshot):
    visible = browser.js("return !document.getElementById('map').hidden")
    assert visible == (scene["plane"] is not None)
    if visible:
        cells = browser.js(
            "return [...document.querySelectorAll(arguments[0])].map(e => e.getAttribute('class'))",
            f"#{side}-map rect",
        )
        names = {"-": "no-class", **dict.fromkeys("01234", "zero-class")}
        assert cells == [names.get(level, "one-class") for level in snapshot["map"]]
        words = text(browser, f"#{side}-map figcaption")
        assert words.startswith("Nothing is decided") == (set(snapshot["map"]) == {"-"})


def test_no_error_and_no_request_leaves_the_page(chromium, page):
    chromium.open(page[0])
    for link in STEPS:
        chromium.js("document.querySelector(`[data-step='${arguments[0]}']`).click()", link)
    assert chromium.console() == []
    asked = [url for url in chromium.requests() if not url.startswith(("data:", "about:"))]
    assert asked == [page[0].as_uri()]


def test_a_request_would_be_refused(opened):
    """The policy of the page, not only our manners."""
    refused = opened.driver.execute_async_script(
        "const done = arguments[arguments.length - 1];"
        "document.addEventListener('securitypolicyviolation', e => done(e.violatedDirective));"
        "const image = new Image(); image.src = 'http://127.0.0.1:9/x.png';"
    )
    assert refused.startswith("img-src")


def test_slider_shows_every_stored_update(opened, page):
    opened.open(page[0], "#step=zeros")
    n = len(page[1]["scenes"][0]["networks"][1]["runs"]["l-bfgs/uniform-0.12"]["snapshots"])
    for index in range(n):
        slide(opened, index)
        check_all(opened, page[1])


@pytest.mark.parametrize("scene", ["digits", "xor", "circles", "spirals"])
def test_choices_show_their_run(opened, page, scene):
    _, data = page
    choose(opened, "data-choice", scene)
    networks = next(found for found in data["scenes"] if found["key"] == scene)["networks"]
    starts = [start["key"] for start in data["starts"]]
    cycle = itertools.cycle(network["hidden"] for network in networks)
    for method in data["methods"]:
        choose(opened, "method-choice", method)
        for left, right in zip(starts, starts[::-1], strict=True):
            choose(opened, "left-start", left)
            choose(opened, "right-start", right)
            choose(opened, "left-hidden", next(cycle))
            choose(opened, "right-hidden", next(cycle))
            check_all(opened, data)
            next(cycle)
    assert opened.console() == []


def test_symmetric_runs_say_that_they_are_exact(opened):
    choose(opened, "left-start", "zeros")
    choose(opened, "left-hidden", "4")
    assert "exact symmetry" in text(opened, "#left-badge")
    choose(opened, "left-start", "glorot")
    assert "nothing is averaged" in text(opened, "#left-badge")
    choose(opened, "left-hidden", "0")
    choose(opened, "left-start", "zeros")
    assert "nothing is averaged" in text(opened, "#left-badge")


@pytest.mark.parametrize("step", STEPS)
def test_steps_show_their_text_and_their_settings(opened, page, step):
    opened.js("document.querySelector(`[data-step='${arguments[0]}']`).click()", step)
    seen = opened.js(
        "return [...document.querySelectorAll('[data-text]')]"
        ".filter(e => e.checkVisibility()).map(e => e.dataset.text)"
    )
    assert seen == [step]
    told = next(found for found in page[1]["steps"] if found["key"] == step)
    _, method, left, left_hidden, right, _, _ = shown(opened)
    assert (method, left, right) == (told["method"], told["left"], told["right"])
    assert (left_hidden == "0") == told["logistic"]
    if told["panel"]:
        assert opened.js("return document.getElementById(arguments[0]).open", told["panel"])
    check_all(opened, page[1])


def test_address_holds_everything(opened, page):
    path, data = page
    choose(opened, "data-choice", "circles")
    choose(opened, "method-choice", "gradient-descent")
    choose(opened, "left-start", "he")
    choose(opened, "left-hidden", "6")
    choose(opened, "right-start", "uniform-10")
    choose(opened, "right-hidden", "3")
    slide(opened, 2)
    before, address = shown(opened), opened.driver.current_url
    assert "left=he,6" in address
    opened.open(path, "#" + address.split("#")[1])
    assert shown(opened) == before
    check_all(opened, data)


def test_back_goes_to_the_step_before(opened):
    opened.js("document.querySelector(\"[data-step='large']\").click()")
    opened.js("document.getElementById('next').click()")
    assert "step=right" in opened.driver.current_url
    opened.driver.back()
    assert opened.js("return document.querySelector('[aria-current]').dataset.step") == "large"
    opened.js("document.getElementById('previous').click()")
    assert "step=small" in opened.driver.current_url


@pytest.mark.parametrize(
    "fragment",
    ["#step=no&data=no&method=toString&left=no,no&right=,&update=-1", "#%%%", "#update="],
)
def test_wrong_addresses_fall_back(chromium, page, fragment):
    path, data = page
    chromium.open(path, fragment)
    assert shown(chromium)[:3] == ["digits", "l-bfgs", "zeros"]
    check_all(chromium, data)
    assert chromium.console() == []


def test_steps_on_the_size_of_the_start_go_back_to_the_first_data(opened):
    choose(opened, "data-choice", "xor")
    for step, scene in (("constants", "xor"), ("large", "digits"), ("check", "digits")):
        opened.js("document.querySelector(`[data-step='${arguments[0]}']`).click()", step)
        assert shown(opened)[0] == scene


@pytest.mark.parametrize("step", STEPS)
def test_within_every_step_other_data_can_be_chosen_and_linked_to(opened, page, step):
    opened.js("document.querySelector(`[data-step='${arguments[0]}']`).click()", step)
    choose(opened, "data-choice", "circles")
    before, address = shown(opened), opened.driver.current_url
    assert before[0] == "circles"
    check_all(opened, page[1])
    opened.open(page[0], "#" + address.split("#")[1])
    assert shown(opened) == before
    check_all(opened, page[1])
    assert opened.console() == []


def test_an_address_typed_into_the_open_page_opens_its_panel(opened):
    opened.js("location.hash = '#step=rounding'")
    WebDriverWait(opened.driver, 5).until(
        lambda _: opened.js("return document.getElementById('rounding').open")
    )


def test_a_step_about_a_panel_leads_to_it(opened):
    opened.js("document.querySelector(\"[data-step='restart']\").click()")
    opened.js("document.querySelector(\"[data-show='restarts']\").click()")
    assert opened.js("return document.activeElement.closest('details').id") == "restarts"
    assert "step=restart" in opened.driver.current_url


def test_the_focus_stays_on_a_button_at_the_last_step(opened):
    opened.js("document.querySelector(\"[data-step='rounding']\").click()")
    opened.js("const e = document.getElementById('next'); e.focus(); e.click()")
    assert opened.js("return document.activeElement.id") == "previous"


def test_a_start_that_does_not_move_says_what_is_known_of_it(opened, tmp_path):
    """Zeros on the four points of XOR: of logistic regression the minimum, of a network not."""
    X = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]) - 0.5
    scene = blobs(
        X=X, y=np.array([0, 1, 1, 0]), classes=("0", "1"), features=("a", "b"),
        hidden=((), (4,)),
    )  # fmt: skip
    path = tmp_path / "stuck.html"
    path.write_text(rendered(lesson_data([scene], updates=100)), encoding="utf-8")
    opened.open(path, "#step=logistic")
    assert "J is convex without a hidden layer, so there is no lower one." in text(
        opened, "#left-finding"
    )
    assert "other starts reach a lower J." in text(opened, "#right-finding")


def test_paper_names_the_data_and_leaves_out_buttons(opened):
    opened.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert text(opened, "#printed").startswith("Data: Handwritten digits. Optimiser: L-BFGS.")
        seen = [
            opened.js("return document.querySelector(arguments[0]).checkVisibility()", name)
            for name in ("#printed", ".turn", ".show", "#settings")
        ]
        assert seen == [True, False, False, False]
    finally:
        opened.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_keyboard_reaches_every_control(opened):
    assert unreached(opened) == []


def test_keyboard_moves_the_slider_and_opens_panels(opened, page):
    from selenium.webdriver import Keys
    from selenium.webdriver.common.by import By

    slider = opened.driver.find_element(By.CSS_SELECTOR, "#slider input")
    slider.send_keys(Keys.HOME)
    assert shown(opened)[-1] == 0
    slider.send_keys(Keys.ARROW_RIGHT)
    assert shown(opened)[-1] == 1
    assert slider.get_attribute("aria-valuetext") == "update 1 of 6"
    check_all(opened, page[1])
    assert text(opened, "#live").startswith("Update 1.")
    panel = opened.driver.find_element(By.CSS_SELECTOR, "#restarts summary")
    panel.send_keys(Keys.ENTER)
    assert opened.js("return document.getElementById('restarts').open")
    link = opened.driver.find_element(By.CSS_SELECTOR, "[data-step='small']")
    link.send_keys(Keys.ENTER)
    assert "step=small" in opened.driver.current_url


def test_table_of_weights_says_what_the_picture_shows(opened, page):
    _, _, snapshot = stored(page[1], opened, "right")
    rows = opened.js(CELLS, "#right-network tbody tr")
    weights = [w for Theta in snapshot["weights"] for row in Theta for w in row]
    classes = [c for Theta in snapshot["classes"] for row in Theta for c in row]
    assert [number(row[1]) for row in rows] == weights
    assert [row[2] != NONE for row in rows] == [label != 0 for label in classes]


def test_everything_has_a_name_of_its_own(opened):
    opened.js("document.querySelector(\"[data-step='zeros']\").click()")
    opened.js(OPEN_PANELS)
    assert nameless(opened) == []
    names = opened.js(
        "return [...document.querySelectorAll('.side [role=region]')]"
        ".map(e => e.getAttribute('aria-label'))"
    )
    assert len(names) == len(set(names)) == 6


@pytest.mark.parametrize(
    ("width", "dark"), [(1280, False), (1280, True), (390, False), (390, True)]
)
@pytest.mark.parametrize("fragment", ["#step=zeros", "#step=check&data=xor"])
def test_contrast_and_width(page, width, dark, fragment):
    browser = Browser(width=width, height=844, dark=dark)
    try:
        browser.open(page[0], fragment)
        browser.js(OPEN_PANELS)
        assert faint(browser) == []
        assert browser.js("return document.documentElement.scrollWidth") <= width
    finally:
        browser.close()


def test_hostile_data_run_nothing(chromium, tmp_path):
    scene = blobs(
        name=HOSTILE[0], description=HOSTILE[1], classes=(HOSTILE[1], HOSTILE[2], HOSTILE[3]),
        features=(*HOSTILE, "</style>"),
    )  # fmt: skip
    path = tmp_path / "hostile.html"
    path.write_text(rendered(lesson_data([scene, planes(seed=0)[0]], updates=2)), encoding="utf-8")
    chromium.open(path)
    for step in STEPS:
        chromium.js("document.querySelector(`[data-step='${arguments[0]}']`).click()", step)
    assert chromium.driver.title == "Why a neural network must start at random"
    assert chromium.js("return document.images.length") == 0
    assert chromium.console() == []
    assert chromium.js("return document.documentElement.scrollWidth") <= 1280
    assert text(chromium, "#data-choice option") == HOSTILE[0]


@pytest.mark.parametrize(
    ("name", "size", "fragment"),
    [
        ("light", {}, "#step=zeros"),
        ("dark", {"dark": True}, "#step=large&data=spirals"),
        ("phone", {"width": 390, "height": 844}, "#step=constants&data=xor"),
        ("panels", {}, "#step=rounding"),
    ],
)
def test_pictures_to_look_at(page, name, size, fragment):
    browser = Browser(**size)
    try:
        browser.open(page[0], fragment)
        if name == "panels":
            browser.js(OPEN_PANELS)
        assert browser.picture(f"lesson-{name}.png").stat().st_size > 20_000
        assert browser.console() == []
    finally:
        browser.close()


def test_the_command_makes_a_page_below_three_megabytes(tmp_path):
    from typer.testing import CliRunner

    from symbreak.cli.app import app

    path = tmp_path / "lesson.html"
    result = CliRunner().invoke(app, ["lesson", "--html", str(path)])
    assert result.exit_code == 0, result.output
    assert path.stat().st_size < 3e6
    assert re.search("<h1>", path.read_text(encoding="utf-8"))
