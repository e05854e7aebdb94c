"""The script language in one look: the text that ``--help`` and the README show."""

from typing import Final

GRAMMAR: Final = """\
A script is a transcript, one step a line. # begins a comment.

  spawn COMMAND ...          the child, as the first step; what stands behind --
                             on the command line comes before it
  timeout DURATION           how long each later step may wait: 500ms, 2s, 1m

  > VALUE                    send a message
  >raw HEX                   send bytes as they are
  < PATTERN                  the next message must match
  <~ PATTERN                 skip messages until one matches
  !<                         no message may come
  expect stdout /re/         the child must print this; or expect stderr
                             (<, <~, !< and expect may end in: within DURATION)

  sleep DURATION             let time pass
  signal NAME                send a signal to the child
  repeat N ... end           do the steps between, each on its line, N times
  restart                    end the child and begin its next run
  quit                       end the child; implied at the end
  ? exit CODE                so it must end, or must have ended
  ? signal NAME              by this signal
  ? clean                    and must have left nothing behind

VALUE is JSON, or bytes as b"\\x00", or a text that stands for itself. {{name}} in
it is what was captured. PATTERN is a VALUE in which there may stand
  ...                        anything; in [ ] and { } any further items, entries
  /re/                       a string in which the regular expression is found
  {{name}}                   anything, captured; the same again further on
"""
