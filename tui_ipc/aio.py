"""The channel library for asyncio: the same endpoints, whose ``send`` and ``recv`` are awaited.

``tui_ipc`` itself never loads asyncio; who uses it imports this module.
"""

from tui_ipc.ipc.aio import Receiver, Sender, accept, channel, connection

__all__ = ["Receiver", "Sender", "accept", "channel", "connection"]
