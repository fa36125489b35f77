"""The module of the page about one's own implementation is one that conforms."""

import re
from pathlib import Path

from convspec.oracle import check, load

PAGE = Path(__file__).parents[2] / "docs" / "own.md"


def test_the_module_of_the_page_conforms(tmp_path):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    file = tmp_path / "mine.py"
    file.write_text(code, encoding="utf-8")
    report = check(load(str(file)), level="quick")
    assert report.status == "conforms"
    assert report["relu"].judged
