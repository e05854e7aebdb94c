"""Indexes of messages, finished at once."""

from unittest.mock import patch

from tui_ipc.text import msgpack_index
from tui_ipc.text.msgpack_index import MsgpackIndex


def index_whole_message(data: bytes, stride: int = msgpack_index.CHECKPOINT_SPACING) -> MsgpackIndex:
    """The whole anatomy of some bytes, with checkpoints at a distance."""
    found = MsgpackIndex(data)
    with patch.object(msgpack_index, "CHECKPOINT_SPACING", stride):
        while found.advance(10):
            pass
    return found
