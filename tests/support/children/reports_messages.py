"""Answers nothing but ``"report"``, to which it sends all that it heard."""

from tests.support.children.library_child import meet

sender, receiver = meet()
heard: list[object] = []
for message in receiver:
    if message == "quit":
        break
    if message == "report":
        sender.send(heard)
    else:
        heard.append(message)
