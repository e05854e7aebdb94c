"""Sentences that others say."""

from tui_ipc.tui.content.sentences import sentence


def test_a_sentence_begins_with_a_capital_and_steers_no_terminal() -> None:
    """Nothing else of it changes, and no row of it is lost."""
    assert sentence("the child printed 42\nand \x1b[2J") == "The child printed 42\nand ␛[2J"
    assert sentence("2 messages wait") == "2 messages wait"
    assert sentence("éclair") == "Éclair"
    assert sentence("") == ""
