"""Receives from all the receivers that it is given, in one set, and tells what came from which.

Says so before it waits. A wait that gave nothing is one too many, and told as well.
"""

import sys

from tui_ipc import Arrived, ReceiverSet, channel, connect

to_self, given = channel()
with connect(sys.argv[1]) as teller, given, ReceiverSet() as several:
    with to_self:
        teller.send(to_self)
    receivers = given.recv()
    numbers = {several.add(receiver): number for number, receiver in enumerate(receivers)}
    came: list[list[object]] = [[] for _ in receivers]
    empty = 0
    print("selecting", flush=True)
    while len(several):
        happened = several.select()
        empty += not happened
        for one in happened:
            came[numbers[one.id]].append(one.value if isinstance(one, Arrived) else "the end")
    teller.send({"came": came, "empty": empty})
