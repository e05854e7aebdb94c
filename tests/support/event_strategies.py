"""Events of every kind, for properties."""

from typing import Any, get_args

from hypothesis import strategies as st

from tests.support.message_strategies import arrived, values
from tui_ipc import events as ev
from tui_ipc.ipc.wire import encode

texts = st.text(st.characters(), max_size=20)
"""Lone surrogates included, as a path with stray bytes has them."""

counts = st.integers(0, 2**63 - 1)
ordinals = st.integers(1, 2**63 - 1)
pids = st.integers(1, 2**31 - 1)
signals = st.integers(1, 64)
maybe = st.none() | counts
steps = st.sampled_from(get_args(ev.Step))
seconds = st.floats(0, 1e9)


def _event(kind: type[ev.AnyEvent], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[ev.AnyEvent]:
    return st.builds(kind, at=counts, run=ordinals, **fields)


def _sent(value: Any, at: int, number: int, origin: str, channel: int) -> ev.MessageSent:
    return ev.MessageSent(
        at=at,
        run=1,
        number=number,
        value=arrived(value),
        raw=encode(value),
        origin=origin,
        channel=channel,
    )


def _sent_raw(data: bytes, at: int, number: int) -> ev.MessageSent:
    return ev.MessageSent(at=at, run=1, number=number, value=data, raw=data)


def _received(value: Any, at: int, number: int, answers: int | None, elapsed: int | None) -> ev.AnyEvent:
    return ev.MessageReceived(
        at=at,
        run=1,
        number=number,
        value=arrived(value),
        raw=encode(value),
        answers=answers,
        elapsed=elapsed,
    )


EVENTS_BY_KIND: dict[type[ev.AnyEvent], st.SearchStrategy[ev.AnyEvent]] = {
    ev.ServerListening: _event(ev.ServerListening, name=texts),
    ev.ChildSpawned: _event(
        ev.ChildSpawned,
        pid=pids,
        command=st.lists(texts, min_size=1).filter(lambda command: command[0]).map(tuple),
    ),
    ev.ChildConnected: _event(ev.ChildConnected),
    ev.HelloReceived: _event(
        ev.HelloReceived,
        name=texts,
        pid=st.integers(1, 2**64 - 1),
        inline=st.booleans(),
        raw=st.binary(max_size=99),
    ),
    ev.ChannelsOpen: _event(ev.ChannelsOpen),
    ev.StepLate: _event(ev.StepLate, step=steps, waited=counts, sentence=texts),
    ev.MessageSent: st.builds(
        _sent, values, counts, ordinals, st.sampled_from(("user", "script")) | texts, st.just(0) | counts
    )
    | st.builds(_sent_raw, st.binary(max_size=99), counts, ordinals),
    ev.MessageReceived: st.builds(_received, values, counts, ordinals, st.none() | ordinals, maybe),
    ev.ChildOutput: _event(
        ev.ChildOutput,
        stream=st.sampled_from(("stdout", "stderr")),
        data=st.binary(max_size=99) | st.integers(65_530, 65_540).map(bytes),
    ),
    ev.ChannelClosed: _event(ev.ChannelClosed),
    ev.SignalSent: _event(ev.SignalSent, signal=signals, reason=texts),
    ev.ChildStopped: _event(ev.ChildStopped, signal=signals),
    ev.ChildContinued: _event(ev.ChildContinued),
    ev.ChildExited: st.one_of(
        *(
            _event(ev.ChildExited, **ending, user_seconds=seconds, system_seconds=seconds, max_rss=counts)
            for ending in (
                {"code": st.integers(0, 255), "signal": st.none()},
                {"code": st.none(), "signal": st.none() | signals},
            )
        )
    ),
    ev.HandshakeFailed: _event(ev.HandshakeFailed, step=steps, sentence=texts, timed_out=st.booleans()),
    ev.Fault: _event(
        ev.Fault,
        sentence=texts,
        byte=maybe,
        ends_channel=st.booleans(),
        received=st.binary(max_size=99),
        around=st.binary(max_size=64),
        around_offset=maybe,
        channel=st.just(0) | counts,
    ),
    ev.Audit: _event(
        ev.Audit,
        processes=st.lists(pids, max_size=3).map(tuple),
        files=st.lists(texts, max_size=3).map(tuple),
        unread=counts,
        quit_elapsed=maybe,
        held=st.lists(texts, max_size=3).map(tuple),
    ),
    ev.ScriptStep: _event(
        ev.ScriptStep,
        script=texts,
        line=counts,
        text=texts,
        state=st.sampled_from(get_args(ev.ScriptStepState)),
        sentence=texts,
        details=st.lists(texts, max_size=3).map(tuple),
    ),
    ev.Note: _event(ev.Note, text=texts, about=maybe),
}
"""For each kind of event, those that there can be."""

any_event = st.one_of(*EVENTS_BY_KIND.values())
