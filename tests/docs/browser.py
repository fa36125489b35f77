"""Every page of a built site in Chromium, without a network.

`python -m tests.docs.browser SITE [AXE]`: desktop and phone, light and dark.  A fault is a message
on the console, a request that leaves the disk, a page wider than its window, a formula that was not
set, and, where AXE is the script of axe-core, each violation of WCAG 2 (A and AA) that it finds.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.explorer.browser import PHONE, WIDE, missing, started

LOADED = "return document.readyState === 'complete' && window.convspecSet"
AWAIT_FORMULAS = """
window.convspecSet = !window.MathJax || !MathJax.startup;
if (!window.convspecSet) MathJax.startup.promise.then(() => { window.convspecSet = true });
"""
FORMULAS = """
const all = [...document.querySelectorAll('.math')];
return [all.filter((each) => !each.querySelector('mjx-container')).length,
        document.querySelectorAll('mjx-merror').length];
"""
WIDTHS = "return [document.documentElement.scrollWidth, window.innerWidth]"
RUN_AXE = """
const done = arguments[arguments.length - 1];
axe.run(document, {runOnly: ['wcag2a', 'wcag2aa'], preload: false}).then(
  (found) => done(found.violations.map(
    (each) => `${each.id}: ${each.nodes[0].target} (${each.nodes.length})`)),
  (error) => done([String(error)]));
"""


def set_up(driver: Any, size: tuple[int, int], scheme: str) -> None:
    width, height = size
    shown = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == PHONE}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", shown)
    feature = {"name": "prefers-color-scheme", "value": scheme}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})


def faults(driver: Any, page: Path, axe: str) -> Iterator[str]:
    """What is wrong with a page as it is shown."""
    from selenium.webdriver.support.ui import WebDriverWait

    driver.get(page.as_uri())
    driver.execute_script(AWAIT_FORMULAS)
    WebDriverWait(driver, 60).until(lambda page: page.execute_script(LOADED))
    yield from (entry["message"] for entry in driver.get_log("browser"))
    yield from left_the_disk(driver.get_log("performance"))
    unset, wrong = driver.execute_script(FORMULAS)
    if unset or wrong:
        yield f"{unset} formulas are not set, {wrong} are wrong"
    needed, there = driver.execute_script(WIDTHS)
    if needed > there:
        yield f"is {needed} wide in a window of {there}"
    if axe:
        driver.execute_script(axe)
        yield from driver.execute_async_script(RUN_AXE)


def left_the_disk(log: list[dict[str, Any]]) -> Iterator[str]:
    """The requests of a log for anything that is no file."""
    for entry in log:
        event = json.loads(entry["message"])["message"]
        if event["method"] == "Network.requestWillBeSent":
            address = event["params"]["request"]["url"]
            if not address.startswith(("file:", "data:", "blob:", "about:")):
                yield f"asks for {address}"


def main() -> int:
    if missing():
        print(missing())
        return 2
    site = Path(sys.argv[1]).resolve()
    axe = Path(sys.argv[2]).read_text(encoding="utf-8") if len(sys.argv) > 2 else ""
    pages = [file for file in sorted(site.rglob("*.html")) if "_static" not in file.parts]
    driver = started()
    driver.set_script_timeout(120)
    count = 0
    try:
        driver.execute_cdp_cmd("Network.enable", {})
        for size in (WIDE, PHONE):
            for scheme in ("light", "dark"):
                set_up(driver, size, scheme)
                # Light and dark, wide and narrow are looked at once each by axe, which is slow.
                script = axe if (size, scheme) in ((WIDE, "light"), (PHONE, "dark")) else ""
                for page in pages:
                    for fault in faults(driver, page, script):
                        print(f"{page.relative_to(site)} ({size[0]} wide, {scheme}): {fault}")
                        count += 1
    finally:
        driver.quit()
    print(f"{len(pages)} pages, {count} faults")
    return 1 if count or not pages else 0


if __name__ == "__main__":
    sys.exit(main())
