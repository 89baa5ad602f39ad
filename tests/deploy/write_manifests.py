"""Writes what the chart makes of all installations, a file for each: python -m tests.deploy.write_manifests <folder>"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import yaml

from tests.deploy.charts import INSTALLATIONS, rendered

if __name__ == "__main__":
    for name, values in INSTALLATIONS.items():
        path = Path(sys.argv[1]) / f"{re.sub('[^a-z]+', '-', name)}.yaml"
        path.write_text(yaml.safe_dump_all(rendered(values), sort_keys=False))
