"""Bytes to text, and markup to blanks: HTML, RTF and HL7 escapes are taken out without moving a single character.

What is not text becomes spaces (a line break where the markup breaks a line), so that offsets in the plain text are
offsets in what was given.
"""

from __future__ import annotations

import codecs
import html
import re

from groundglass.core.errors import InputError

ENCODINGS = ("utf-8", "cp932", "gb18030", "cp1252", "latin-1")
"""Tried in this order; cp932 only where the bytes make Japanese, gb18030 only where they make Chinese; latin-1 takes
everything that is left."""

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_MOST_CONTROLS = 0.05
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_KANA = re.compile(r"[\u3041-\u309f\u30a1-\u30fa]")
_HALF_KANA = re.compile(r"[\uff61-\uff9f]")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_PUNCTUATION = re.compile(r"[，。、：；（）]")
_WIDE = re.compile(r"[\uff01-\uff5e\u2212\u3000]")
# Full-width signs and digits read as the ordinary ones; commas, full stops, "!" and "?" keep their own meaning.
_NARROW = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F) if chr(code) not in "！，．？～"}
_NARROW |= {0x2212: "-", 0x3000: " "}
_POINT = re.compile(r"(?<=\d)．(?=\d)")
_TAG = re.compile(r"<(/?[A-Za-z!][^<>\n]{0,400})>")
_HTML = re.compile(
    r"<(?:html|body|head|p|br|div|span|b|i|u|table|tr|td|li|ul|ol|h[1-6]|font|pre|strong|em)\b[^<>]{0,400}>", re.I
)
_BLOCK = re.compile(r"/?(?:p|br|div|li|tr|ul|ol|h[1-6]|table|pre|hr)\b", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_RTF = re.compile(r"\\([a-z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-f]{2})|\\([^a-z])|([{}])|[^\\{}]+", re.IGNORECASE)
_HIDDEN = frozenset({"fonttbl", "colortbl", "stylesheet", "info", "pict", "header", "footer", "generator", "listtable"})
_HL7 = re.compile(r"\\(?:\.(br|sp|ce|fi|nf|in|ti|sk)[+-]?\d{0,4}|([FSTREHN])|X([0-9A-Fa-f]{2,8}))\\")
_HL7_SIGNS = {"F": "|", "S": "^", "T": "&", "R": "~", "E": "\\", "H": " ", "N": " "}


def decode_report(data: bytes, name: str = "report") -> str:
    """The text of a file's bytes. Raises InputError when they are not text (many control characters)."""
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return _checked(data.decode(encoding, errors="replace"), name)
    for encoding in ENCODINGS:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if _is_likely(text, encoding):
            return _checked(text, name)
    raise InputError(name, "is not text", "Give a text file.")  # latin-1 decodes everything: not reached


def _is_likely(text: str, encoding: str) -> bool:
    """Whether bytes that an encoding can read are likely to be in it: both of East Asia read nearly everything."""
    if encoding == "cp932":
        kana, han = len(_KANA.findall(text)), len(_HAN.findall(text))
        return len(_HALF_KANA.findall(text)) <= 0.1 * (kana + han) and kana > 0.05 * (kana + han)
    if encoding == "gb18030":
        signs = _HAN.findall(text)
        # The first level of GB 2312 holds the 3,755 commonest characters: lead bytes B0 to D7.
        common = sum(b"\xb0" <= c.encode("gb18030")[:1] <= b"\xd7" for c in signs)
        others = sum(ord(c) > 127 for c in text) - len(signs) - len(_PUNCTUATION.findall(text))
        return len(signs) >= 2 and common >= 0.8 * len(signs) and others <= 0.2 * len(signs)
    return True


def _checked(text: str, name: str) -> str:
    controls = sum(1 for _ in _CONTROLS.finditer(text))
    if controls > _MOST_CONTROLS * len(text):
        raise InputError(name, f"is not text ({controls} control characters in {len(text)})", "Give a text file.")
    return text


def plain(text: str) -> str:
    """`text` with its markup blanked and full-width letters, digits and signs as ordinary ones; same length.

    Text without either comes back as it is.
    """
    if not text.isascii() and _WIDE.search(text):
        text = _POINT.sub(".", text).translate(_NARROW)
    if text.startswith("{\\rtf"):
        return _without_rtf(text)
    if "\\" in text:
        text = _HL7.sub(_hl7, text)
    if "<" in text and _HTML.search(text):
        text = _ENTITY.sub(_entity, _TAG.sub(_tag, text))
    elif "&" in text:
        text = _ENTITY.sub(_entity, text)
    return text


def _padded(sign: str, length: int) -> str:
    return sign + " " * (length - len(sign))


def _tag(match: re.Match[str]) -> str:
    return _padded("\n" if _BLOCK.match(match[1]) else " ", len(match[0]))


def _entity(match: re.Match[str]) -> str:
    sign = html.unescape(match[0])
    return _padded(" " if sign.isspace() else sign, len(match[0])) if len(sign) == 1 else match[0]


def _hl7(match: re.Match[str]) -> str:
    if match[1]:
        return _padded("\n" if match[1].lower() in ("br", "sp", "ce", "sk") else " ", len(match[0]))
    if match[2]:
        return _padded(_HL7_SIGNS[match[2]], len(match[0]))
    return _padded("\n" if match[3].upper() in ("0D", "0A", "0D0A") else " ", len(match[0]))


def _without_rtf(text: str) -> str:
    pieces: list[str] = []
    hidden_below = 0
    depth = 0
    for match in _RTF.finditer(text):
        word, _, code, sign, brace = match.groups()
        whole = match[0]
        shown = " "
        if brace == "{":
            depth += 1
        elif brace == "}":
            depth -= 1
            hidden_below = 0 if depth < hidden_below else hidden_below
        elif word in _HIDDEN or sign == "*":
            hidden_below = hidden_below or depth
        elif word in ("par", "line", "row", "sect", "page"):
            shown = "\n"
        elif code:
            shown = bytes.fromhex(code).decode("cp1252", errors="replace")
        elif sign in ("{", "}", "\\"):
            shown = str(sign)
        elif word is None and sign is None:
            pieces.append(" " * len(whole) if hidden_below else whole)
            continue
        pieces.append(_padded(" " if hidden_below else shown, len(whole)))
    done = "".join(pieces)
    return done + " " * (len(text) - len(done))
