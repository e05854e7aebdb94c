"""Output that tries to take over a terminal."""

from hypothesis import strategies as st

from tests.support.unicode_text import WHOLE

HOSTILE = st.lists(
    st.one_of(
        st.binary(max_size=8),
        st.text(max_size=8).map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.sampled_from(
            [
                b"\x1b[31m",
                b"\x1b[2J",
                b"\x1b]0;title\x07",
                b"\x1bP",
                b"\x1b]8;;http://a.b/",
                b"\x1b\\",
                b"\x1b[K",
                b"\x1b[1K",
                b"\x1b(B",
                b"\x08",
                b"\xc2\x9d",
                b"\xc2\x9c",
                b"\x1b",
                b"\x9b",
                b"\r",
                b"\n",
                b"\r\n",
                b"\t",
            ]
        ),
        st.sampled_from(WHOLE).map(str.encode),
        st.sampled_from(
            "\u200d\ufe0f\u200c🏴👩\U000e0067\u202e\u2066\u200b\u2028\ufeff\U000e0041\x85\u3164\ufe00中\u0301"
        ).map(str.encode),
    ),
    max_size=20,
).map(b"".join)
