"""What every page must offer: names, a keyboard, contrast. Computed in the page itself."""

from __future__ import annotations

from typing import Any

from tests.browser.driver import Browser

FOCUSABLE = (
    "a[href], button:not([disabled]), select, input, summary, [tabindex]:not([tabindex='-1'])"
)

VISIBLE_CONTROLS = """
return [...document.querySelectorAll(arguments[0])]
    .filter(e => e.checkVisibility() && !e.closest("details:not([open]) > :not(summary)"))
    .map((e, k) => { e.dataset.control = k; return k; })
"""

FOCUSED = """
const e = document.activeElement, style = getComputedStyle(e);
return [e.dataset.control, style.outlineStyle, parseFloat(style.outlineWidth)]
"""

# The colours of each visible text and of what lies under it, mixed where they are translucent.
CONTRASTS = """
const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
const rgba = (colour) => {
  canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data].map(v => v / 255);
};
const over = (top, under) => top.slice(0, 3).map((v, i) => v * top[3] + under[i] * (1 - top[3]));
const ground = (e) => { if (!e) return rgba("white");
  return over(rgba(getComputedStyle(e).backgroundColor), ground(e.parentElement)); };
const light = (c) => {
  const l = c.map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * l[0] + 0.7152 * l[1] + 0.0722 * l[2]; };
const found = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const e = walker.currentNode.parentElement, text = walker.currentNode.textContent.trim();
  if (!text || e.closest("script, noscript, title, desc, option") || !e.checkVisibility()) continue;
  if (e.disabled || e.closest(".hidden, .skip")) continue;
  const style = getComputedStyle(e);
  const under = ground(e);
  const colour = over(rgba(e instanceof SVGElement ? style.fill : style.color), under);
  const [high, low] = [light(colour), light(under)].sort((a, b) => b - a);
  found.push([text.slice(0, 40), (high + 0.05) / (low + 0.05)]);
}
return found
"""


def unreached(browser: Browser) -> list[str]:
    """Press Tab until the focus has gone round; return the controls that never had it."""
    from selenium.webdriver import ActionChains, Keys

    wanted = set(map(str, browser.js(VISIBLE_CONTROLS, FOCUSABLE)))
    assert wanted, "the page has no controls"
    browser.js("document.activeElement.blur(); window.scrollTo(0, 0)")
    reached = set()
    for _ in range(2 * len(wanted)):
        ActionChains(browser.driver).send_keys(Keys.TAB).perform()
        control, outline, width = browser.js(FOCUSED)
        if control is not None:
            assert outline != "none", f"control {control} does not show its focus"
            assert width >= 2, f"control {control} shows its focus too thinly"
            reached.add(control)
    missing = wanted - reached
    return [
        browser.js("return document.querySelector(`[data-control='${arguments[0]}']`).outerHTML", k)
        for k in sorted(missing)
    ]


def nameless(browser: Browser) -> list[str]:
    """Return the controls and pictures that have no name for a screen reader."""
    from selenium.webdriver.common.by import By

    selector = f"{FOCUSABLE}, svg[role=img]"
    return [
        str(element.get_attribute("outerHTML"))[:120]
        for element in browser.driver.find_elements(By.CSS_SELECTOR, selector)
        if element.is_displayed() and not element.accessible_name.strip()
    ]


def faint(browser: Browser, least: float = 4.5) -> list[Any]:
    """Return the texts whose contrast with their ground is below `least`."""
    found = browser.js(CONTRASTS)
    assert len(found) > 20
    return [entry for entry in found if entry[1] < least]
