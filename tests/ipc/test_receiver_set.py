"""Many receivers in one set: each one's order kept, each end told after its last message, nobody starved."""

import os
import signal
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.ipc.conftest import MakeChannel, Pair
from tests.support import peers
from tests.support.ipc_programs import outcome, running, said
from tests.support.peers import peer
from tests.support.raw_wire import begin_large
from tests.support.threads import PATIENCE
from tui_ipc import (
    Arrived,
    Closed,
    Disconnected,
    Ended,
    OneShotServer,
    ProtocolError,
    Receiver,
    ReceiverSet,
)
from tui_ipc.ipc.receiver_set import _ROUND

MIB = 1024 * 1024


def until_empty(several: ReceiverSet) -> dict[int, list[Any]]:
    """What each receiver of a set gave, by its id, until all have ended; each end as its error's class."""
    came: dict[int, list[Any]] = {}
    while len(several):
        happened = several.select(PATIENCE)
        assert happened, "nothing came"
        for one in happened:
            came.setdefault(one.id, []).append(one.value if isinstance(one, Arrived) else type(one.error))
    return came


# ----------------------------------------------------------------------------------------------- Order, ends


def test_many_channels_with_the_order_within_each_kept(make_channel: MakeChannel) -> None:
    """Many channels, order within each kept, however their messages are interleaved."""
    pairs = [make_channel() for _ in range(50)]
    with ReceiverSet() as several:
        identities = [several.add(receiver) for _, receiver in pairs]
        for number in range(40):
            for place, (sender, _) in enumerate(pairs):
                if (number + place) % 3:
                    sender.send([place, number])
        for sender, _ in pairs:
            sender.close()
        came = until_empty(several)
    assert came == {
        identity: [[place, number] for number in range(40) if (number + place) % 3] + [Disconnected]
        for place, identity in enumerate(identities)
    }


@pytest.mark.parametrize("empty", [None, b"", "", [], {}], ids=repr)
def test_an_empty_message_is_not_a_close(ends: Pair, empty: object) -> None:
    """An empty message is not a close."""
    sender, receiver = ends
    with ReceiverSet() as several:
        identity = several.add(receiver)
        sender.send(empty)
        assert several.select(PATIENCE) == [Arrived(identity, empty)]
        assert len(several) == 1
        sender.close()
        assert until_empty(several) == {identity: [Disconnected]}


def test_closed_before_adding(make_channel: MakeChannel) -> None:
    """Closed before adding: what was sent before the sender closed arrives, then its end."""
    (first, silent), (second, talker) = make_channel(), make_channel()
    first.close()
    second.send("last words")
    second.close()
    with ReceiverSet() as several:
        left, right = several.add(silent), several.add(talker)
        assert until_empty(several) == {left: [Disconnected], right: ["last words", Disconnected]}


def test_closed_after_adding(ends: Pair) -> None:
    """Closed after: while the set waits, or has waited in vain."""
    sender, receiver = ends
    with ReceiverSet() as several:
        identity = several.add(receiver)
        assert several.select(0) == []
        sender.send("last words")
        sender.close()
        assert until_empty(several) == {identity: ["last words", Disconnected]}
        with pytest.raises(Closed):
            receiver.fileno()  # the set had it, and has closed it


def test_an_end_says_why(ends: Pair) -> None:
    """An end carries the error that a receive would have raised."""
    sender, receiver = ends
    with ReceiverSet() as several:
        identity = several.add(receiver)
        sender.close()
        [ended] = several.select(PATIENCE)
        assert isinstance(ended, Ended)
        assert ended.id == identity
        assert isinstance(ended.error, Disconnected)
        assert "every sender of this channel is closed" in str(ended.error)


@pytest.mark.parametrize("size", [200_000, 5 * MIB])
def test_large_messages(make_channel: MakeChannel, size: int) -> None:
    """Large messages, several at once and between small ones, each whole and in its place."""
    pairs = [make_channel() for _ in range(3)]

    def send(place: int) -> None:
        with pairs[place][0] as sender:
            for message in ("before", f"{place}" * size, "after"):
                sender.send(message)

    threads = [threading.Thread(target=send, args=(place,)) for place in range(3)]
    with ReceiverSet() as several:
        identities = [several.add(receiver) for _, receiver in pairs]
        for thread in threads:
            thread.start()
        came = until_empty(several)
    for thread in threads:
        thread.join()
    for place, identity in enumerate(identities):
        before, large, after, end = came[identity]
        assert (before, after, end) == ("before", "after", Disconnected)
        assert large == f"{place}" * size


def test_half_a_large_message_is_nothing_yet(ends: Pair) -> None:
    """Half a large message holds up nothing, and ends no wait; the rest completes it."""
    sender, receiver = ends
    message = b"\xc6" + (100_000).to_bytes(4, "big") + b"x" * 100_000
    with ReceiverSet() as several, begin_large(sender, len(message)) as body:
        identity = several.add(receiver)
        body.sendall(message[:50_000])
        assert several.select(0) == []
        assert several.select(0.01) == []
        sender.send("another's")
        assert several.select(PATIENCE) == [Arrived(identity, "another's")]
        body.sendall(message[50_000:])
        sender.send("after")
        happened = several.select(PATIENCE)
        while len(happened) < 2:
            happened += several.select(PATIENCE)
        assert happened == [Arrived(identity, b"x" * 100_000), Arrived(identity, "after")]


def test_five_channels_from_five_processes(make_channel: MakeChannel) -> None:
    """5 channels × 100 messages from 5 processes, each close reported after its last message."""
    pairs = [make_channel() for _ in range(5)]
    with ExitStack() as stack, ReceiverSet() as several:
        for place, (sender, _) in enumerate(pairs):
            stack.enter_context(peer(peers.send_all, [sender, [[place, number] for number in range(100)]]))
            sender.close()
        identities = [several.add(receiver) for _, receiver in pairs]
        came = until_empty(several)
    for place, identity in enumerate(identities):
        assert came[identity] == [*([place, number] for number in range(100)), Disconnected]


def test_a_process_that_is_killed_ends_its_channel(make_channel: MakeChannel) -> None:
    """A sender's process that is killed ends its channel, and no other."""
    (mine, to_me), (theirs, from_peer) = make_channel(), make_channel()
    their_sender, unused = make_channel()
    with ReceiverSet() as several:
        with peer(peers.echo, [theirs, unused], status=-signal.SIGKILL) as process:
            theirs.close()
            alive, dead = several.add(to_me), several.add(from_peer)
            process.kill()
            [ended] = several.select(PATIENCE)
            assert (ended.id, type(ended)) == (dead, Ended)
        mine.send("still here")
        assert several.select(PATIENCE) == [Arrived(alive, "still here")]
    their_sender.close()


# -------------------------------------------------------------------------------------------------- Fairness


def test_one_fast_sender_cannot_starve_the_others(make_channel: MakeChannel) -> None:
    """One fast sender cannot starve the others: each is heard in every round, whatever waits in a channel."""
    (fast, flooded), *others = [make_channel() for _ in range(5)]
    fast.send_many(range(2000))
    with ReceiverSet() as several:
        flood = several.add(flooded)
        quiet = [several.add(receiver) for _, receiver in others]
        taken: list[int] = []
        while len(taken) < 2000:
            for sender, _ in others:
                sender.send("me too")
            happened = several.select(PATIENCE)
            heard = [one.id for one in happened if isinstance(one, Arrived) and one.id != flood]
            assert heard == quiet
            of_flood = [one.value for one in happened if isinstance(one, Arrived) and one.id == flood]
            assert 0 < len(of_flood) <= _ROUND
            taken += of_flood
        assert taken == list(range(2000))


def test_a_flood_of_single_messages_is_bounded_too(make_channel: MakeChannel) -> None:
    """One fast sender cannot starve the others: a round takes a bounded number of messages however they were
    sent.
    """
    (fast, flooded), (slow, other) = make_channel(), make_channel()
    for number in range(100):
        fast.send(number)
    slow.send("me too")
    with ReceiverSet() as several:
        flood, quiet = several.add(flooded), several.add(other)
        happened = several.select(PATIENCE)
        assert Arrived(quiet, "me too") in happened
        assert 1 <= sum(one.id == flood for one in happened) <= _ROUND


# --------------------------------------------------------------------------------------------------- Signals


def state(pid: int) -> str:
    """The letter that Linux gives the state of a process: S while it waits in the kernel, T while stopped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return "S"  # no /proc: the stop then comes wherever it comes


def test_sigstop_and_sigcont_in_mid_select(make_channel: MakeChannel) -> None:
    """SIGSTOP/SIGCONT in mid-select: the wait goes on as if nothing had been, and nothing is lost."""
    pairs = [make_channel() for _ in range(3)]
    with OneShotServer() as server, running("selects", server.name) as process:
        teller, to_process = server.accept(PATIENCE, process)
        with teller, to_process:
            to_process.send([receiver for _, receiver in pairs])
            assert said(process) == "selecting"
            for number in range(5):
                while state(process.pid) != "S":
                    os.sched_yield()
                process.send_signal(signal.SIGSTOP)
                os.waitid(os.P_PID, process.pid, os.WSTOPPED)
                if number % 2:
                    for place, (sender, _) in enumerate(pairs):
                        sender.send([place, number])
                process.send_signal(signal.SIGCONT)
                os.waitid(os.P_PID, process.pid, os.WCONTINUED)
            for sender, _ in pairs:
                sender.close()
            told = teller.recv(PATIENCE)
        assert told["came"] == [[[place, 1], [place, 3], "the end"] for place in range(3)]
        assert told["empty"] == 0
        assert outcome(process)[0] == 0


# ------------------------------------------------------------------------------------------------- Thousands


def test_ten_thousand_channels_in_one_set() -> None:
    """10 000 channels in one set, where the system allows as many descriptors: every message, every end."""
    with running("many_channels", "set") as process:
        assert outcome(process) == (0, "every message and every end arrived, each once\n", "")


# ------------------------------------------------------------------------------------------ Adding, removing


def test_a_receiver_that_has_read_ahead(ends: Pair) -> None:
    """A receiver that has read messages ahead gives them, though no more will ever come for the kernel to
    tell.
    """
    sender, receiver = ends
    sender.send_many(["first", "second", "third"])
    assert receiver.recv(PATIENCE) == "first"
    with ReceiverSet() as several:
        identity = several.add(receiver)
        assert several.select(PATIENCE) == [Arrived(identity, "second"), Arrived(identity, "third")]


def test_a_receiver_in_the_middle_of_a_large_message(ends: Pair) -> None:
    """A receiver that has begun a large message completes it in the set, and out of it."""
    sender, receiver = ends
    message = b"\xc6" + (100_000).to_bytes(4, "big") + b"x" * 100_000
    with begin_large(sender, len(message)) as body, ReceiverSet() as several:
        body.sendall(message[:100])
        with pytest.raises(TimeoutError):
            receiver.recv(0)
        identity = several.add(receiver)
        body.sendall(message[100:200])
        assert several.select(0) == []
        assert several.remove(identity) is receiver
        body.sendall(message[200:])
        assert receiver.recv(PATIENCE) == b"x" * 100_000


def test_a_receiver_taken_out_is_yours_again(make_channel: MakeChannel) -> None:
    """``remove`` gives the receiver back, with whatever it has not given yet; the set forgets it."""
    (first, out), (second, stays) = make_channel(), make_channel()
    first.send_many(range(40))
    with ReceiverSet() as several:
        identity, other = several.add(out), several.add(stays)
        taken = [one.value for one in several.select(PATIENCE) if isinstance(one, Arrived)]
        assert several.remove(identity) is out
        assert len(several) == 1
        second.send("here")
        assert several.select(PATIENCE) == [Arrived(other, "here")]
        with pytest.raises(KeyError):
            several.remove(identity)
    assert taken + [out.recv(PATIENCE) for _ in range(40 - len(taken))] == list(range(40))
    with pytest.raises(Closed):
        stays.fileno()


def test_ids_are_unique(make_channel: MakeChannel) -> None:
    """An id is never given to another receiver, also after its own was removed or has ended."""
    sender, receiver = make_channel()
    with ReceiverSet() as several:
        first = several.add(receiver)
        second = several.add(several.remove(first))
        sender.close()
        until_empty(several)
        third = several.add(make_channel()[1])
        assert len({first, second, third}) == 3


def test_a_receiver_is_in_a_set_once(ends: Pair) -> None:
    """A receiver that is in the set already cannot be added again; it stays as it was."""
    sender, receiver = ends
    with ReceiverSet() as several:
        identity = several.add(receiver)
        with pytest.raises(ValueError, match="is in this set already"):
            several.add(receiver)
        sender.send("hello")
        assert several.select(PATIENCE) == [Arrived(identity, "hello")]


def test_a_closed_receiver_is_refused(ends: Pair) -> None:
    """A receiver that was closed cannot be added, and the set is as before."""
    _, receiver = ends
    receiver.close()
    with ReceiverSet() as several:
        with pytest.raises(Closed, match="this receiver was closed"):
            several.add(receiver)
        assert len(several) == 0


def test_a_wait_that_could_never_end_is_refused() -> None:
    """An empty set and no timeout: nothing could ever come; with a timeout the time passes."""
    with ReceiverSet() as several:
        assert several.select(0.01) == []
        with pytest.raises(ValueError, match="the set is empty"):
            several.select()


def test_a_closed_set_says_so(ends: Pair) -> None:
    """Closing a set closes its receivers; afterwards, and twice, it says so."""
    sender, receiver = ends
    several = ReceiverSet()
    several.add(receiver)
    several.close()
    several.close()
    with pytest.raises(Disconnected):
        sender.send("anyone?")
    for use in (several.select, lambda: several.add(receiver)):
        with pytest.raises(Closed, match="this receiver set was closed"):
            use()


# ------------------------------------------------------------------------------------------- Hostile senders


def test_a_receiver_that_breaks_the_wire_ends_with_its_error(make_channel: MakeChannel) -> None:
    """A sender that breaks the wire ends its receiver, after what was whole, with its error; the others go
    on.
    """
    (bad, broken), (good, healthy) = make_channel(), make_channel()
    bad.send("whole")
    bad.send_raw(b"\xc1")
    good.send("before")
    with ReceiverSet() as several:
        spoiled, sound = several.add(broken), several.add(healthy)
        happened: list[Arrived | Ended] = []
        while not any(isinstance(one, Ended) for one in happened):
            happened += several.select(PATIENCE)
        good.send("after")
        happened += several.select(PATIENCE)
    of_spoiled = [one for one in happened if one.id == spoiled]
    assert of_spoiled[0] == Arrived(spoiled, "whole")
    assert isinstance(of_spoiled[1], Ended)
    assert isinstance(of_spoiled[1].error, ProtocolError)
    assert [one for one in happened if one.id == sound] == [Arrived(sound, "before"), Arrived(sound, "after")]


def test_handles_arrive_through_a_set(make_channel: MakeChannel) -> None:
    """Handles in messages arrive and are the caller's; those of a set that is closed are closed with it."""
    sender, receiver = make_channel()
    with ReceiverSet() as several:
        several.add(receiver)
        sender.send(list(make_channel()))
        [arrived] = several.select(PATIENCE)
        assert isinstance(arrived, Arrived)
        got, got_receiver = arrived.value
        with got, got_receiver:
            got.send("hello")
            assert isinstance(got_receiver, Receiver)
            assert got_receiver.recv(PATIENCE) == "hello"
        unread_sender, unread_receiver = make_channel()
        sender.send(unread_receiver)
    with pytest.raises(Disconnected):
        unread_sender.send("anyone?")


@pytest.mark.parametrize("timeout", [1e12, float("inf")])
def test_a_timeout_longer_than_the_system_can_count(timeout: float, make_channel: MakeChannel) -> None:
    """What comes ends the wait, however long it might have been."""
    with ReceiverSet() as receivers:
        sender, receiver = make_channel()
        with sender:
            identity = receivers.add(receiver)
            sender.send("hello")
            assert receivers.select(timeout) == [(identity, "hello")]


# ------------------------------------------------------------------------------------------------- Broken off


def test_what_was_taken_survives_an_interruption(
    make_channel: MakeChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A KeyboardInterrupt in mid-round loses neither a message taken before it nor those read ahead."""
    (first, first_end), (second, second_end) = make_channel(), make_channel()
    first.send_many(["a", "b"])
    second.send_many(["c", "d"])
    come = Receiver._next
    reads = iter((False, False, False, True))

    def interrupted(receiver: Receiver[Any], *arguments: Any, **keywords: Any) -> Any:
        if next(reads, False):
            raise KeyboardInterrupt
        return come(receiver, *arguments, **keywords)

    monkeypatch.setattr(Receiver, "_next", interrupted)
    with ReceiverSet() as several:
        one, other = several.add(first_end), several.add(second_end)
        with pytest.raises(KeyboardInterrupt):
            several.select(PATIENCE)
        came = [*several.select(PATIENCE), *several.select(0)]
    assert came == [Arrived(one, "a"), Arrived(one, "b"), Arrived(other, "c"), Arrived(other, "d")]


def test_an_end_survives_an_interruption(make_channel: MakeChannel, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last receiver's end is told by the next call, though the set is empty by then."""
    sender, receiver = make_channel()
    sender.close()
    with ReceiverSet() as several:
        identity = several.add(receiver)
        with monkeypatch.context() as patch:
            take = several._take

            def interrupted(one: int) -> None:
                take(one)
                raise KeyboardInterrupt

            patch.setattr(several, "_take", interrupted)
            with pytest.raises(KeyboardInterrupt):
                several.select()
        (end,) = several.select()
    assert isinstance(end, Ended)
    assert end.id == identity
