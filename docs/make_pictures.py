"""Make the picture of the lesson page for README and docs; `make pictures` calls it.

Opens a page as `symbreak lesson --html` writes it in Debian's chromium, through Selenium, and takes
a picture of the network and of what it decides.
"""

from __future__ import annotations

import base64
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from selenium import webdriver

from symbreak.lesson.page import digits, lesson_page, planes

PICTURES = Path(__file__).with_name("pictures")
ADDRESS = "#step=constants&data=xor&left=constant,4&right=nguyen-widrow,4"
SIZE = {"width": 1100, "height": 900, "deviceScaleFactor": 1, "mobile": False}
# Only what compares the two sides is in the picture, from the names down to the decisions.
TIDY = """
document.querySelectorAll("nav, #lesson-text, #settings, .network details")
  .forEach(e => e.remove());
const top = document.getElementById("readouts").getBoundingClientRect().top;
const bottom = document.getElementById("map").getBoundingClientRect().bottom;
return [top + window.scrollY - 12, bottom - top + 24];
"""


def picture_of(page: Path, target: Path) -> None:
    """Take the picture."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for argument in ("--headless=new", "--no-sandbox", "--hide-scrollbars"):
        options.add_argument(argument)
    service = webdriver.ChromeService(str(shutil.which("chromedriver")))
    driver = webdriver.Chrome(options=options, service=service)
    try:
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", SIZE)
        driver.get(page.as_uri() + ADDRESS)
        top, height = driver.execute_script(TIDY)
        clip = {"x": 0, "y": top, "width": SIZE["width"], "height": height, "scale": 1}
        shot = driver.execute_cdp_cmd(
            "Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip}
        )
    finally:
        driver.quit()
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(base64.b64decode(shot["data"]))


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        page = Path(folder) / "lesson.html"
        page.write_text(lesson_page([digits().at_most(300, 0), *planes()]), encoding="utf-8")
        picture_of(page, PICTURES / "lesson.png")
