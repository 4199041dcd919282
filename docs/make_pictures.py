"""Make the pictures of the pages for README and docs; `make pictures` calls it.

Opens the pages that `symbreak lesson --html` and `symbreak train --report` write in Debian's
chromium, through Selenium. Of the lesson the picture shows the network and what it decides, of
the report the first screen and the score.
"""

from __future__ import annotations

import base64
import shutil
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory

from selenium import webdriver

from symbreak.cli import main
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
REPORT = (
    "symbreak train --quick --dataset digits --starts 16 --hidden 12 --model digits.symbreak "
    "--report report.html"
)
FIRST_SCREEN = "return [0, document.getElementById('starts').getBoundingClientRect().top];"


def picture_of(address: str, part: str, target: Path) -> None:
    """Take a picture of the part of a page of which a script returns top and height."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for argument in ("--headless=new", "--no-sandbox", "--hide-scrollbars"):
        options.add_argument(argument)
    service = webdriver.ChromeService(str(shutil.which("chromedriver")))
    driver = webdriver.Chrome(options=options, service=service)
    try:
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", SIZE)
        driver.get(address)
        top, height = driver.execute_script(part)
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
        picture_of(page.as_uri() + ADDRESS, TIDY, PICTURES / "lesson.png")
        with chdir(folder):  # the page shows its own command, and no folder of this machine
            main(REPORT.split()[1:])
        page = Path(folder) / "report.html"
        picture_of(page.as_uri(), FIRST_SCREEN, PICTURES / "report.png")
