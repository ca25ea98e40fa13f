"""A shell, and somebody who types into it what the documentation says."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.leftovers import processes_about


class Shell:
    """Types lines into bash in `folder`, with `environment` and the `habeas` of this test run.

    Where a line speaks of `req_...` the request is meant that was filed last, and `jane@example.com` is `person`, if
    somebody else is meant.
    """

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.person = ""
        self._request = ""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self._environment = os.environ | {"PATH": path, "TMPDIR": str(folder)} | environment

    def type(self, line: str) -> str:
        """Run a line, which must end well; return what it printed."""
        said = line.replace("req_...", self._request)
        if self.person:
            said = said.replace("jane@example.com", self.person)
        done = subprocess.run(
            ["/bin/bash", "-c", said],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, f"{line}: {done.stdout} {done.stderr}"
        if " file " in said or said.startswith("curl"):
            (self._request,) = set(re.findall(r"req_[0-9A-Z]{26}", done.stdout))
        return done.stdout

    def left_running(self) -> list[str]:
        """Return the processes that still speak of this folder."""
        return processes_about(self.folder)
