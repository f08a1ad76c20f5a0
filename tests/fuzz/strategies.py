"""What hypothesis draws: a seed and a few mutations of it, or bytes of no seed at all."""

from hypothesis import strategies as st

from tests.fuzz.mutation import BYTES, JSON, LINES, XML, Mutation, mutated
from tests.fuzz.target import Form, Target
from tests.fuzz.values import SCALARS, values

# Pieces that YAML, the settings file, or the formats that are imported give a meaning to: random text alone hardly ever
# gets past a scanner.
PIECES = (
    *"\n\n\t :-,[]{}&*!|>'\"%@#?~\\\r=$\u0085\u2028\ufeff\x00",
    *("  ", "\n  ", ": ", "- ", "? ", "<<", "<<: *a", "---\n", "...\n", "|\n", ">+2\n", "version: 1\n", "trust:\n"),
    *("  accounts:\n", "    - ", "organizations: [own]", "exceptions:\n", "images: ", "{ids: []}", "nobody", "null"),
    *("!!set ", "!!python/object:x ", "!!float x", "!<tag> ", "&a ", "*a", "'x'", '"\\U', '"\\U0011FFFF"', '"\\xZZ'),
    *(
        "%YAML 1.1\n",
        "%YAML 9.9\n",
        "%YAML 1.123\n",
        "%TAG ! x\n",
        "0o17",
        "0x1F",
        "1_000",
        ".inf",
        "1e999",
        "12:30:45",
    ),
    *("[" * 300, "{a: " * 300, "- " * 300, "a: &a [*a]", "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b, *b]\n"),
    *(
        "<a/>",
        "</item>",
        "<item>",
        "&amp;",
        "&lt;",
        "&#0;",
        "&#x110000;",
        "&#xD800;",
        "&e;",
        "<![CDATA[",
        "]]>",
        "<!--",
    ),
    *("${", "}", "%{", "<<EOT\n", "EOT\n", "trusted_accounts = [", '"o-abcdefghij"', "for x in y : ", "//", "/*"),
    *("7d", "90s", "100+20", "none", "ami-0123456789abcdef0", "arn:aws:iam::123456789012:role/R", "usage,author"),
)
_TEXTS = [one.encode("utf-8", "surrogatepass") for one in (*PIECES, *SCALARS) if isinstance(one, str)]
# Not `sampled_from`: hypothesis would write all of them into its messages.
pieces = st.one_of(st.integers(0, len(_TEXTS) - 1).map(lambda number: _TEXTS[number]), st.binary(max_size=8))
_BY_FORM = {
    Form.XML: (*BYTES, *[*XML] * 3),
    Form.JSON: (*BYTES, *[*JSON] * 4),
    Form.LINES: (*BYTES, *LINES, *[*JSON] * 5),
    Form.TEXT: (*BYTES, "word", "word", *[*LINES] * 2),
}


_places, _sizes = st.integers(0, 1 << 16), st.integers(0, 40)


@st.composite
def inputs(draw: st.DrawFn, target: Target) -> bytes:
    """What a target is given: mostly mutated seeds."""
    if draw(st.integers(0, 5)) == 5:
        return b"".join(draw(st.lists(pieces, max_size=12)))
    kinds = _BY_FORM[target.form]
    mutations = [
        Mutation(draw(st.sampled_from(kinds)), draw(_places), draw(_sizes), draw(pieces), draw(values))
        for _ in range(draw(st.integers(1, 3)))
    ]
    return mutated(draw(st.sampled_from(target.seeds)), mutations)
