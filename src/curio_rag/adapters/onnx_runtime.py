"""The one door to onnxruntime: its telemetry is switched off before it is loaded."""

from __future__ import annotations

import os
from types import ModuleType


def load_onnxruntime() -> ModuleType:
    """Import onnxruntime; it never reports to its maker.

    Since 1.29 its published builds send process and session events over the network by default, keep an
    identifier of the machine on disk, and run a thread that aborts a forked child when it ends. An
    environment variable, set before the import, is the only switch for all of that; somebody who
    has set it to another value has chosen so. The call covers the older builds for Windows.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime  # type: ignore[import-untyped]  # it ships no types

    onnxruntime.disable_telemetry_events()
    return onnxruntime  # type: ignore[no-any-return]  # untyped, as above
