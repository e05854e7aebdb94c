"""A plugin as somebody might write it: what the pictures in ``screenshots/`` explore."""

import random
import signal
import subprocess
import sys
import time
from typing import Any

from tui_ipc.child import serve

PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000a0000000780802000000")
PROFILE = b"\x00\x00\x02\x30ADBE\x02\x10\x00\x00mntrRGB XYZ "
CAMERA = {"make": "Fujifilm", "model": "X-T30", "iso": 200, "gps": None}


def answer(request: Any) -> Any:
    """Do what is asked; this thumbnailer has never seen a picture."""
    match request:
        case {"op": "open", "path": str(path)} if path.endswith(".jpg"):
            print(f"{path}: \x1b[32m4032 x 3024\x1b[0m, orientation 6: turned", flush=True)
            taken = {"f": 2.8, "seconds": 0.004, "flash": False}
            return {"size": [4032, 3024], "camera": CAMERA, "taken": taken, "profile": PROFILE}
        case {"op": "open", "path": path}:
            print(
                f"\x1b[33mwarning\x1b[0m: {path} is not a JPEG: it begins with 47 49 46 38", file=sys.stderr
            )
            return {"error": "unknown format", "magic": b"GIF8"}
        case {"op": "thumbnail", "path": path, "width": int(width)}:
            pixels = random.Random(width).randbytes(24 * width)
            print(f"{path}: {width} x {width * 3 // 4}, {len(PNG + pixels)} bytes", flush=True)
            return {"path": path, "size": [width, width * 3 // 4], "png": PNG + pixels}
        case {"op": "stats"}:
            entry = {"widths": [160], "hits": 12, "bytes": 3869}
            return {"opened": 2, "failed": 1, "cache": {"beach.jpg": entry}}
        case {"op": "rotate"}:
            subprocess.Popen(["sleep", "60"])
            print("rotate: calling librotate 0.9", file=sys.stderr)
            signal.raise_signal(signal.SIGSEGV)
    return {"error": "not understood"}


if __name__ == "__main__":
    print("thumbnailer 2.1: 4 workers, a cache of 64 MiB", flush=True)
    for settings in sys.argv[1:-1]:
        time.sleep(0.2)  # the two streams race each other
        sys.exit(f"thumbnailer: {settings} has no section [cache]")
    sys.exit(serve(answer, name="thumbnailer"))
