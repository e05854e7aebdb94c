"""Who goes first while a key is on its way to the screen."""

from tui_ipc.tui.precedence import DRAWING, PATIENCE, Precedence


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def taken(precedence: Precedence) -> bool:
    """Whether a key goes first now."""
    return precedence.taken


def test_a_key_goes_first_until_what_it_did_is_drawn() -> None:
    """A picture that was drawn before the key was handled is not yet what it did."""
    precedence = Precedence(Clock())
    assert not taken(precedence)
    precedence.press()
    precedence.draw()
    assert taken(precedence)
    precedence.handle()
    assert taken(precedence)
    precedence.draw()
    assert not taken(precedence)


def test_a_key_that_nobody_handles_delays_for_no_longer_than_told() -> None:
    """Its widget may be busy, or gone."""
    precedence = Precedence(clock := Clock())
    precedence.press()
    clock.now += PATIENCE * 0.99
    assert taken(precedence)
    clock.now += PATIENCE * 0.02
    assert not taken(precedence)
    precedence.handle()
    assert not taken(precedence)


def test_a_key_that_shows_nothing_is_not_waited_for_long() -> None:
    """Once it was handled the next picture should be soon."""
    precedence = Precedence(clock := Clock())
    precedence.press()
    precedence.handle()
    clock.now += DRAWING * 1.01
    assert not taken(precedence)


def test_a_key_held_down_leaves_half_of_the_time() -> None:
    """What the child says is taken in meanwhile, however fast keys come."""
    precedence = Precedence(clock := Clock())
    free = 0
    for _ in range(1000):
        precedence.press()
        clock.now += 0.001
        free += not precedence.taken
    assert 450 <= free <= 550


def test_the_next_key_goes_first_too() -> None:
    """A typist's keys, drawn within 15 ms each, with as much between them."""
    precedence = Precedence(clock := Clock())
    for _ in range(20):
        precedence.press()
        assert taken(precedence)
        clock.now += 0.015
        precedence.handle()
        precedence.draw()
        assert not taken(precedence)
        clock.now += 0.016
