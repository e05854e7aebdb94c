"""The script language in one look: the text that ``--help`` and the README show."""

from typing import Final

GRAMMAR: Final = """\
A script is a transcript, one step a line; # begins a comment.

  spawn COMMAND ARGS     the child, unless the command line names one behind --;
                         only as the first step
  timeout DURATION       how long a later step may wait: 500ms, 2s, 1.5s, 1m

  > VALUE                send a message
  >raw HEX               send bytes as they are: 93 01 02
  < PATTERN              the next message matches
  <~ PATTERN             skip messages until one matches
  !<                     no message comes
  expect stdout /re/     the child prints what matches, or: expect stderr /re/
    within DURATION      may end a line of these four

  sleep DURATION         let time pass
  signal NAME            send the child a signal: SIGTERM
  restart                end the child and begin its next run
  repeat N ... end       do the steps on the lines between, N times
  quit                   tell the child to end; implied at the end

  ? exit CODE            the child ends, or has ended, with this exit code
  ? signal NAME          or by this signal
  ? clean                and leaves nothing behind

A VALUE is JSON, a Python literal such as b"\\x00", or a text that is itself.
{{name}} in it stands for what was captured. A PATTERN is a VALUE that may hold
  ...                    anything; any further items in [ ], entries in { }
  /re/                   a string in which the regular expression is found
  {{name}}               one value, and its name from then on; {{_}} names none
"""
