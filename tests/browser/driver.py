"""A real Chromium without a window, and what the tests of pages ask of it."""

from __future__ import annotations

import base64
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

ARTEFACTS = Path(__file__).parents[2] / "test-artefacts"


def browser_or_skip() -> tuple[str, str]:
    """Return the paths of Chromium and its driver; where there is none, skip.

    With SYMBREAK_REQUIRE_BROWSER=1, as in continuous integration, fail instead.
    """
    found = shutil.which("chromium"), shutil.which("chromedriver")
    if None in found:
        say = pytest.fail if os.environ.get("SYMBREAK_REQUIRE_BROWSER") == "1" else pytest.skip
        say("Debian's chromium and chromium-driver are not installed.")
    return found[0] or "", found[1] or ""


class Browser:
    """Chromium on one page, in one size and scheme of colours."""

    def __init__(self, *, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        from selenium import webdriver

        chromium, driver = browser_or_skip()
        options = webdriver.ChromeOptions()
        options.binary_location = chromium
        for argument in (
            "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
            "--hide-scrollbars", "--force-color-profile=srgb",
        ):  # fmt: skip
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
        self.width = width
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})

    def close(self) -> None:
        """End the browser."""
        self.driver.quit()

    def open(self, path: Path, fragment: str = "") -> None:
        """Load a page from the disk, even if only the fragment differs."""
        self.driver.get("about:blank")
        self.driver.get(f"{path.as_uri()}{fragment}")

    def js(self, script: str, *arguments: Any) -> Any:
        """Run a script in the page and return what it returns."""
        return self.driver.execute_script(script, *arguments)

    def console(self) -> list[str]:
        """Return what the console said since it was last asked."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """Return the addresses asked for since this was last asked."""
        entries = [
            json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")
        ]
        return [
            entry["params"]["request"]["url"]
            for entry in entries
            if entry["method"] == "Network.requestWillBeSent"
        ]

    def picture(self, name: str, clip: dict[str, float] | None = None) -> Path:
        """Save the whole page, or a part of it, under the artefacts of the tests."""
        height = self.js("return document.documentElement.scrollHeight")
        area = clip or {"x": 0, "y": 0, "width": self.width, "height": height}
        shot = self.driver.execute_cdp_cmd(
            "Page.captureScreenshot", {"captureBeyondViewport": True, "clip": {**area, "scale": 1}}
        )
        ARTEFACTS.mkdir(exist_ok=True)
        path = ARTEFACTS / name
        path.write_bytes(base64.b64decode(shot["data"]))
        return path
