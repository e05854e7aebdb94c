"""How keys are called in hints."""

import asyncio

from tests.tui.stage import stage
from tui_ipc.tui.keys import key_of


def test_a_hint_names_the_key_as_it_is_bound_now() -> None:
    """As it was written, or as the user's settings have it; nothing where there is no such binding."""

    async def main() -> None:
        async with stage() as it:
            log = it.app.log_view
            assert key_of(log, "search.clear") == "⌫"
            assert key_of(log, "search.next") == "n"
            it.app.set_keymap({"search.clear": "ctrl+x,z", "search.next": "greater_than_sign"})
            assert key_of(log, "search.clear") == "^x"
            assert key_of(log, "search.next") == ">"
            assert key_of(log, "nothing") == ""

    asyncio.run(main())
