"""The explorer in a real browser without a network: what it shows is what the spec computes."""

import re
from math import ceil, floor

import numpy
import pytest

from convspec import conv
from tests.explorer.browser import PHONE, WIDE, Page, needs_chromium, started
from tests.explorer.configurations import case_of, configurations, expected
from tests.explorer.test_arithmetic import OPERATIONS

pytestmark = [needs_chromium, pytest.mark.once]


@pytest.fixture(scope="module")
def driver():
    running = started()
    yield running
    running.quit()


@pytest.fixture
def page(driver):
    page = Page(driver).open("conv")
    page.complaints()
    yield page
    assert page.complaints() == []


def number(text):
    return float(text.replace("\u2212", "-"))


def shown(page):
    """The output on the page, as an array."""
    cells = {}
    for at, (value, text, label) in page.outputs().items():
        index = tuple(map(int, at.split(",")))
        cells[index] = number(value)
        # In the cell itself a fraction has three digits.
        assert number(text) == pytest.approx(number(value), rel=5.1e-3)
        assert label == f"output {', '.join(map(str, index))}: {text}"
    shape = tuple(1 + max(at[axis] for at in cells) for axis in range(len(next(iter(cells)))))
    assert len(cells) == numpy.prod(shape)
    output = numpy.zeros((1, *shape))
    for at, value in cells.items():
        output[(0, *at)] = value
    return output


def value_of(sum_text):
    """What the left side of a line such as `1·3 + 2·(−1) = 1` comes to, by Python's arithmetic."""
    left = sum_text.rsplit(" = ", 1)[0].replace("\u2212", "-").replace("·", "*")
    assert re.fullmatch(r"(max)?[-+*/(),.\d ]+", left), left
    left = re.sub(r"^max\((.*)\)$", r"max([\1])", left)
    return eval(left)  # noqa: S307 - digits and signs, matched above


def assert_true(page):
    """The output, its shape, the selected sum and the size formulas are those of the spec."""
    case, at = case_of(page.fragment)
    due = expected(case)
    # Five digits are shown.
    numpy.testing.assert_allclose(shown(page), due, rtol=5e-5, atol=0)
    assert page.text("#shape") == str(due.shape)
    line = page.text("#worked")
    named, terms = line.split(" = ", 1)
    assert named == f"y[{', '.join(map(str, at[1:]))}]"
    assert value_of(terms) == pytest.approx(due[at], rel=1e-6)
    assert number(terms.rsplit(" = ", 1)[1]) == pytest.approx(due[at], rel=5e-5)
    sizes = worked_formulas(page, "#size")
    assert sizes in ([*due.shape[2:]], [due.shape[2]])
    if len(sizes) < due.ndim - 2:
        assert len(set(due.shape[2:])) == 1


def worked_formulas(page, section):
    """What the formulas of a section come to, each checked to come to what it says it does."""
    results = []
    for text in page.run(WORKED, section):
        terms, result = text.removeprefix("=").split("=")
        assert re.fullmatch(r"([-+*/() \d]|floor|ceil)+", terms), terms
        assert eval(terms, {"floor": floor, "ceil": ceil}) == int(result), text  # noqa: S307
        results.append(int(result))
    return results


# The formulas with numbers filled in, as Python writes them.
WORKED = """
const written = (node) => {
  const [above, under] = [...node.children].map(written);
  if (node.tagName === "mfrac") return `((${above})/(${under}))`;
  if (node.matches(".floor, .ceil")) return `${node.className}(${written(node.children[1])})`;
  if (node.children.length) return [...node.children].map(written).join("");
  return node.textContent;
};
return [...document.querySelectorAll(`${arguments[0]} .formula math:last-child`)]
  .map((math) => written(math).replaceAll("\u2212", "-").replaceAll("·", "*"));
"""


@pytest.mark.parametrize("operation", OPERATIONS)
def test_random_configurations_show_what_the_spec_computes(page, operation):
    for fragment, case in configurations(operation, 1, 25):
        page.go(fragment)
        taken, _ = case_of(page.fragment)
        assert taken.attributes == case.attributes
        for name, array in case.operands.items():
            numpy.testing.assert_array_equal(taken.operands[name], array)
        assert_true(page)


CONTROLS = {
    "conv": "size kernel stride low high dilation groups inputs outputs",
    "conv_transpose": "size kernel stride low high dilation output_padding groups inputs outputs",
    "max_pool": "size kernel stride low high dilation inputs ceil_mode",
    "average_pool": "size kernel stride low high dilation inputs ceil_mode count_include_pad",
}
PLAIN = {"groups", "inputs", "outputs", "ceil_mode", "count_include_pad"}
# From where a step of any one control is a valid call.
ROOMY = (
    "size=6,7&kernel=3,2&stride=2,2&low=1,0&high=0,1&dilation=1,2&output_padding=0,0"
    "&groups=1&inputs=1&outputs=2&ceil_mode=0&count_include_pad=0"
)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_control_changes_what_it_names(page, operation):
    for name in CONTROLS[operation].split():
        page.go(f"{operation}&{ROOMY}")
        before = page.fragment
        field = page.find(f"#{name if name in PLAIN else f'{name}-1'}")
        assert field.is_displayed()
        if field.get_attribute("type") == "checkbox":
            field.click()
            due = "1"
        else:
            due = str(int(field.get_attribute("value")) + 1)
            page.run("arguments[0].focus()", field)
            page.press("\ue013\ue007")  # arrow up, enter
        found = re.search(rf"&{name}=([^&]+)", page.fragment)[1]
        assert found.split(",") == [due] * len(found.split(",")), name
        assert page.fragment != before
        assert_true(page)


def test_buttons_step_one_axis_where_axes_are_apart(page):
    page.find("#together").click()
    page.find("#size-1").find_element("xpath", "following-sibling::button").click()
    page.find("#kernel-0").find_element("xpath", "preceding-sibling::button").click()
    assert "size=5,6&kernel=2,3&" in page.fragment
    assert_true(page)


def test_operations_and_axes_are_chosen(page):
    for operation in OPERATIONS:
        page.find(f"label:has(#operation-{operation})").click()
        assert page.fragment.startswith(f"{operation}&size=5,5&")
        assert_true(page)
    page.find("label:has(#rank-1)").click()
    assert "&size=5&" in page.fragment
    assert_true(page)
    page.find("label:has(#rank-2)").click()
    assert "&size=5,5&" in page.fragment
    assert_true(page)


def test_words_stand_for_the_padding_of_the_spec(page):
    page.go("conv&size=5,6&kernel=4,3&stride=2,1&dilation=1,2")
    for word, low, high in [
        ("same_upper", "1,2", "2,2"),
        ("same_lower", "2,2", "1,2"),
        ("full", "3,4", "3,4"),
        ("valid", "0,0", "0,0"),
    ]:
        page.find(f"#word-{word}").click()
        assert f"&low={low}&high={high}&" in page.fragment
        assert_true(page)


def test_numbers_are_filled_in(page):
    for button in ("x-count", "x-random", "x-single", "w-count", "w-random", "w-ones", "w-single"):
        before = page.fragment
        page.find(f"#fill-{button}").click()
        assert page.fragment != before, button
        assert_true(page)
    page.find("#reset").click()
    assert page.fragment.startswith("conv&size=5,5&kernel=3,3&stride=1,1&low=1,1&high=1,1&")
    assert_true(page)


def test_a_number_that_is_typed_counts_and_no_number_does_not(page):
    for array, place, text in [("x", 7, "-2.5"), ("b", 0, "\u22123"), ("w", 4, "12")]:
        field = page.find(f'input[data-array="{array}"][data-place="{place}"]')
        field.click()
        page.press(text)
        said = re.search(rf"&{array}=([^&]+)", page.fragment)[1].split(",")
        assert float(said[place]) == number(text)
        assert_true(page)
        before = page.fragment
        page.press("z")
        assert field.get_attribute("aria-invalid") == "true"
        assert page.fragment == before
        page.press("\ue004")  # tab
        assert field.get_attribute("value") == text.replace("-", "\u2212")


def test_the_keyboard_moves_the_window(page):
    page.run("document.querySelector('[aria-selected=true]').focus()")
    for keys, at in [
        ("\ue014", "0,1,3"),  # right
        ("\ue015", "0,2,3"),  # down
        ("\ue012\ue012", "0,2,1"),  # left, left
        ("\ue013\ue013\ue013", "0,0,1"),  # up until the border
        ("\ue010", "0,0,4"),  # end
        ("\ue011", "0,0,0"),  # home
    ]:
        page.press(keys)
        assert page.fragment.endswith(f"&at={at}")
        assert page.run("return document.activeElement.dataset.at") == at
        assert_true(page)
        said = page.text("#live")
        assert said.startswith(f"y[{at.replace(',', ', ')}] = ")
        assert said == page.text("#worked")
    assert page.run("return document.querySelectorAll('[data-at][tabindex=\"0\"]').length") == 1


def test_the_keyboard_moves_among_the_numbers_and_marks_their_readers(page):
    page.find('input[data-array="x"][data-place="0"]').click()
    assert page.run(READERS) == ["0,0,0", "0,0,1", "0,1,0", "0,1,1"]
    page.press("\ue014\ue015")  # right, down
    assert page.run("return document.activeElement.dataset.place") == "6"
    assert len(page.run(READERS)) == 9
    page.press("7")
    assert case_of(page.fragment)[0].operands["input"][0, 0, 1, 1] == 7
    assert_true(page)


READERS = "return [...document.querySelectorAll('.reader')].map((cell) => cell.dataset.at)"


def test_buttons_and_play_move_the_window(page):
    page.find("#next").click()
    assert page.fragment.endswith("&at=0,1,3")
    page.find("#previous").click()
    page.find("#previous").click()
    assert page.fragment.endswith("&at=0,1,1")
    page.find("#play").click()
    assert page.find("#play").get_attribute("aria-pressed") == "true"
    page.driver.set_script_timeout(20)
    page.driver.execute_async_script(
        "const done = arguments[0]; const id = setInterval(() => {"
        "if (location.hash.endsWith('&at=0,1,4')) { clearInterval(id); done(); } }, 20)"
    )
    page.find("#play").click()
    stopped = page.fragment
    assert page.find("#play").get_attribute("aria-pressed") == "false"
    page.driver.execute_async_script("setTimeout(arguments[0], 1200)")
    assert page.fragment == stopped
    assert_true(page)


@pytest.mark.parametrize(
    ("fragment", "says"),
    [
        ("conv&size=2,2&kernel=5,5&low=0,0&high=0,0", "spans 5 positions"),
        ("max_pool&size=3,3&kernel=2,2&low=2,2&high=0,0", "holds no element"),
        ("conv_transpose&size=1,1&kernel=1,1&low=3,3&high=0,0", "crops the output"),
        ("conv_transpose&output_padding=2,2", "must be smaller than the stride"),
        ("conv_transpose&size=10,10&stride=4,4&kernel=5,5&outputs=3", "at most 4000 are shown"),
    ],
)
def test_what_is_no_call_is_said_and_can_be_left_again(page, fragment, says):
    page.go(fragment)
    assert says in page.text("#refusal")
    assert page.find("#refusal").is_displayed()
    assert not page.find("#arrays").is_displayed()
    page.run("document.getElementById('reset').click()")
    assert not page.find("#refusal").is_displayed()
    assert_true(page)


@pytest.mark.parametrize(
    ("fragment", "says"),
    [
        ("conw", "conw: must be one of"),
        ("conv&stride=0,1", "stride=0,1: must be 2 whole numbers from 1 to 4"),
        ("conv&size=5,5,5", "one or two axes"),
        ("conv&x=1,2", "x=1,2: must be 25 numbers"),
        ("conv&colour=red", "colour: nothing here has this name"),
        ("conv&%E0%A4%A", "not understood"),
    ],
)
def test_an_address_that_is_not_understood_is_said(page, fragment, says):
    page.go(fragment)
    assert says in page.text("#refusal")
    assert page.find("#arrays").is_displayed()


def test_the_examples_are_calls(page):
    links = page.run("return [...document.querySelectorAll('nav a')].map((a) => a.hash.slice(1))")
    assert len(links) == len(set(links)) > 10
    for link in links:
        page.find(f'nav a[href="#{link}"]').click()
        assert page.fragment.startswith(link.split("&")[0])
        assert not page.find("#refusal").is_displayed()
        assert_true(page)


def test_a_change_of_size_is_said(page):
    page.find("#size-0").find_element("xpath", "following-sibling::button").click()
    assert page.text("#live") == "Output shape (1, 1, 6, 6)"


def test_an_address_opens_what_it_was_copied_from(page):
    page.go("average_pool&size=4,6&kernel=3,2&stride=2,3&low=1,0&high=1,1&ceil_mode=1&at=0,1,1")
    address, cells = page.fragment, page.outputs()
    page.open(address)
    assert page.fragment == address
    assert page.outputs() == cells


def test_frameworks_are_tabs(page):
    page.find("#tab-pytorch").click()
    seen = []
    for _ in range(4):
        page.press("\ue014")
        seen.append((page.text("[role=tab][aria-selected=true]"), page.text("#source")))
    assert [name for name, _ in seen] == ["TensorFlow", "JAX", "ONNX", "PyTorch"]
    for (_, code), part in zip(seen, ["tf.nn", "lax.", '"Conv"', "F.conv2d"], strict=True):
        assert part in code


def test_the_matrix_row_is_that_of_the_selected_output(page):
    page.go("conv&size=4&kernel=3&stride=1&low=1&high=0&w=2,-1,5&at=0,0")
    assert page.run(ROW) == ["\u22121", "5", "0", "0"]
    page.find('[data-at="0,2"]').click()
    assert page.run(ROW) == ["0", "2", "\u22121", "5"]


ROW = "return [...document.querySelectorAll('#row td')].map((cell) => cell.textContent)"


def test_a_transposed_convolution_is_the_convolution_that_is_drawn(page):
    for fragment, _ in configurations("conv_transpose", 2, 15):
        page.go(fragment)
        case, (_, channel, *position) = case_of(page.fragment)
        pairs = [[numpy.array(grid, float) for grid in pair] for pair in page.run(DRAWN)]
        dilation = (1, *case.attributes["dilation"])[-2:]
        sums = sum(
            conv(stretched[None, None], turned[None, None], dilation=dilation)
            for stretched, turned in pairs
        )
        due = expected(case)[0, channel]
        numpy.testing.assert_array_equal(
            sums.reshape(due.shape) + case.operands["bias"][channel], due
        )
        assert page.run(PLACED) == [[0, *position][-2:]] * len(pairs)


# The stretched inputs and the turned kernels; what lies around the input is 0.
DRAWN = """
return [...document.querySelectorAll('#stretched .pair')].map((pair) =>
  [...pair.querySelectorAll('.grid')].map((grid) =>
    [...grid.querySelectorAll('.line')].map((line) =>
      [...line.children].map((cell) => Number(cell.textContent.replace('\u2212', '-'))))));
"""
PLACED = """
return [...document.querySelectorAll('#stretched .window')].map((window) =>
  ['--row', '--column'].map((name) => Number(window.style.getPropertyValue(name))));
"""


def test_the_receptive_field_is_that_of_the_stack(page):
    page.go("conv&size=7&kernel=3&stride=2&low=1&high=1&layers=1")
    page.run("document.getElementById('layers').focus()")
    page.press("\ue014\ue014")
    assert "&layers=3&" in page.fragment
    assert worked_formulas(page, "#field") == [15]
    label = page.find(".cone").get_attribute("aria-label")
    assert label == "Output 0 of 3 layers sees 15 input positions, from -7 on."


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_it_fits_and_can_be_read(page, operation, scheme, size):
    page.open(f"{operation}&size=10,10&inputs=2", size=size, scheme=scheme)
    assert page.run("return document.documentElement.scrollWidth") <= size[0]
    assert page.run(FAINT) == []
    assert_true(page)


# Texts whose contrast with the background behind them is below 4.5, as WCAG 2 computes it.
FAINT = """
const channels = (text) => text.match(/[\\d.]+/g).map(Number);
const linear = (c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
const behind = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const found = channels(getComputedStyle(at).backgroundColor);
    if (found.length === 3 || found[3] > 0) return found;
  }
  return [255, 255, 255];
};
const seen = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const faint = new Set();
while (seen.nextNode()) {
  const element = seen.currentNode.parentElement;
  const visible = element.checkVisibility() && seen.currentNode.textContent.trim();
  if (!visible || element.closest("button:disabled, script")) continue;
  const style = getComputedStyle(element);
  const colour = element.namespaceURI.endsWith("svg") ? style.fill : style.color;
  const [a, b] = [light(channels(colour)), light(behind(element))];
  const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (contrast < 4.5) faint.add(`${element.tagName} ${element.className}: ${contrast.toFixed(2)}`);
}
return [...faint];
"""


def test_a_finger_chooses_an_output_and_steps(page):
    page.open("conv", size=PHONE)
    for selector, due in [('[data-at="0,4,4"]', "&at=0,4,4"), ("#previous", "&at=0,4,3")]:
        tap(page, selector)
        assert page.fragment.endswith(due)
        assert_true(page)


def tap(page, selector):
    point = page.run(
        "const element = document.querySelector(arguments[0]);"
        "element.scrollIntoView({ block: 'center' });"
        "const box = element.getBoundingClientRect();"
        "return { x: box.x + box.width / 2, y: box.y + box.height / 2 }",
        selector,
    )
    page.command("Input.dispatchTouchEvent", type="touchStart", touchPoints=[point])
    page.command("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])


def test_reduced_motion_is_respected(page):
    duration = "return getComputedStyle(document.querySelector('.window')).transitionDuration"
    assert page.run(duration) != "0s"
    page.open(motion="reduce")
    assert page.run(duration) == "0s"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_everything_that_can_be_used_has_a_name(page, operation):
    page.go(operation)
    tree = page.command("Accessibility.getFullAXTree")["nodes"]
    usable = {"button", "textbox", "spinbutton", "checkbox", "radio", "slider", "tab"}
    named = {"grid", "region", "form", "image", "tabpanel", "tablist"}
    seen = set()
    for node in tree:
        role = node.get("role", {}).get("value")
        if not node["ignored"] and role in usable | named:
            seen.add(role)
            assert node["name"]["value"].strip(), node
    assert seen >= {"button", "textbox", "spinbutton", "radio", "tab", "grid", "image"}
    identifiers = page.run("return [...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(identifiers) == len(set(identifiers))


def test_the_tab_key_goes_through_the_page_in_its_order(page):
    page.run("document.activeElement.blur()")
    tops, reached = [], []
    for _ in range(80):
        page.press("\ue004")
        place = page.run(
            "const e = document.activeElement; const all = [...document.querySelectorAll('*')];"
            "return e === document.body ? null : [all.indexOf(e), e.id]"
        )
        if place is None or place[0] in tops:
            break
        tops.append(place[0])
        reached.append(place[1])
    assert tops == sorted(tops)
    assert {"play", "size-0", "high-1", "reset", "layers", "tab-pytorch", "copy"} <= set(reached)


def test_nothing_is_asked_of_a_network(page):
    page.requests()
    page.open("conv")
    for operation in OPERATIONS:
        page.find(f"label:has(#operation-{operation})").click()
    asked = page.requests()
    assert len(asked) > 10
    assert all(address.startswith(("file://", "data:", "about:")) for address in asked)
