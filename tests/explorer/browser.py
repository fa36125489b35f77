"""A Chromium that cannot reach anything, with the explorer opened from the disk."""

import json
import os
import shutil
from importlib.util import find_spec

import pytest

from tests.explorer.test_arithmetic import PAGE

WIDE = (1280, 900)
PHONE = (390, 844)


def missing():
    """What a browser test lacks here; empty where it lacks nothing."""
    if find_spec("selenium") is None:
        return "needs the package selenium"
    for program in ("chromium", "chromedriver"):
        if shutil.which(program) is None:
            return f"needs {program}, from Debian's packages chromium and chromium-driver"
    return ""


needs_chromium = pytest.mark.skipif(bool(missing()), reason=missing() or "all there")


def started():
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    options = ChromeOptions()
    options.binary_location = shutil.which("chromium")
    options.add_argument("--headless=new")
    options.add_argument("--host-resolver-rules=MAP * ~NOTFOUND")
    if os.geteuid() == 0:  # Chromium's sandbox wants another user
        options.add_argument("--no-sandbox")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return Chrome(options=options, service=Service(shutil.which("chromedriver")))


class Page:
    """The explorer in a browser: what a reader sees of it and does to it."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, fragment="", *, size=WIDE, scheme="light", motion="no-preference"):
        width, height = size
        narrow = width < WIDE[0]
        self.command(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=narrow,
        )
        self.command("Emulation.setTouchEmulationEnabled", enabled=narrow)
        features = {"prefers-color-scheme": scheme, "prefers-reduced-motion": motion}
        self.command(
            "Emulation.setEmulatedMedia",
            features=[{"name": name, "value": value} for name, value in features.items()],
        )
        self.command("Network.enable")
        self.driver.get("about:blank")
        self.driver.get((PAGE / "index.html").as_uri() + (f"#{fragment}" if fragment else ""))
        return self

    def command(self, name, **arguments):
        return self.driver.execute_cdp_cmd(name, arguments)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def find(self, selector):
        return self.driver.find_element("css selector", selector)

    def text(self, selector):
        return self.run("return document.querySelector(arguments[0]).textContent", selector)

    def go(self, fragment):
        """Another address on the open page."""
        self.run("location.hash = arguments[0]; dispatchEvent(new Event('hashchange'))", fragment)

    @property
    def fragment(self):
        return self.run("return location.hash.slice(1)")

    def outputs(self):
        """The values of the output by their index, `channel,row,column`: what a cell says when it
        is pointed at, the number with five digits, and what is read aloud.
        """
        return self.run(
            "return Object.fromEntries([...document.querySelectorAll('[data-at]')]"
            ".map((cell) => [cell.dataset.at, [cell.title, cell.textContent, cell.ariaLabel]]))"
        )

    def press(self, *keys):
        from selenium.webdriver import ActionChains

        ActionChains(self.driver).send_keys(*keys).perform()

    def complaints(self):
        """What the browser has logged since this was last asked."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self):
        """The addresses that the browser has asked for since this was last asked."""
        events = [json.loads(e["message"])["message"] for e in self.driver.get_log("performance")]
        sent = [event for event in events if event["method"] == "Network.requestWillBeSent"]
        return [event["params"]["request"]["url"] for event in sent]
