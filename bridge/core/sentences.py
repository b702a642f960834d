"""Where a sentence ends, and which words must not be torn from the next, in many languages.

A rule and short lists instead of a dictionary: a missed sentence end costs a slightly worse cut, a
false one tears a name from its title. Must not know about limits, lengths or parts.
"""

from __future__ import annotations

import regex

TERMINATORS = ".!?…。！？｡؟۔।॥။៕៚།༎።։܀‼⁇⁈⁉"
"""What can end a sentence, in every script that has a sign of its own for it."""

CLAUSE_MARKS = ":;—؛،፤፣၊；："
"""What ends a clause. The Arabic comma stands where other languages put a full stop."""

COMMA_MARKS = ",、，､"

OPENING = "([{«‹“‘„‚「『（［｛〈《【〔〖〘｢⟨¿¡\u2066\u2067\u2068"
CLOSING = ")]}»›”’」』）］｝〉》】〕〗〙｣⟩\"'\u2069"
"""Straight quotes close here: where they open, they stand before a word and not behind one."""


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


_KEEPS_NEXT = _listed(
    # Titles and short forms whose next word is their point; without the final dot, case folded.
    """dr prof mr mrs ms st mx mme mlle fr hr sr sra srta dña dott ing gen lt sgt capt cmdr rev
    hon pres gov sen cf vs ca approx e.g
    i.e z.b d.h u.a i.d.r bzw vgl p.ej av bd bul c calle ul г ул им т.е т.к т.н проф акад см
    κ π.χ δρ др гр th.s ths ts gs pgs bs tp q p.gs
    د أ م أ.د ص ت ج ه ق ا.د ดร นพ พญ รศ ผศ ศ พ.ศ
    ค.ศ น.ส ม.ค ก.พ มี.ค เม.ย พ.ค มิ.ย ก.ค ส.ค ก.ย ต.ค พ.ย ธ.ค डॉ श्री प्रो पं कु"""
)
_KEEPS_NUMBER = _listed(
    "no nr núm art fig figs abb tab vol ch chap col sec pp bd nn eq рис стр гл табл ст"
)
_WITHOUT_DOT = _listed("""ד"ר ד״ר פרופ' פרופ׳ גב' גב׳ עו"ד עו״ד ח"כ ח״כ рис № § dr prof mr mrs""")
_SHORT_FORMS = _listed(
    # Short forms that may well stand at the end of a sentence, but mostly do not.
    """etc usw usf jr inc ltd co corp dept est al ed eds min max tel km u.s u.k u.n e.u d.c a.m p.m
    jan feb mar apr jun jul aug sep sept oct nov dec okt dez mio mrd тыс млн млрд кв м др пр г.г
    ق.م هـ إلخ الخ वगैरह"""
)
_UNITS = _listed(
    """% ‰ ° °c °f k € $ £ ¥ ₪ ₹ ₩ ₫ ₽ ฿ kg g mg t lb lbs oz km m cm mm µm nm mi ft yd ha km² m²
    km2 m2 l dl cl ml km/h mph kph m/s kn h min s ms hrs hr uhr am pm a.m p.m hz khz mhz ghz w kw mw
    gw kwh mwh gwh v kv ma j kj kcal cal hpa bar pa db px dpi kb mb gb tb kib mib gib usd eur gbp
    chf jpy thousand million millions billion billions trillion percent prozent mio mrd
    millionen milliarden million millionen milliarde mil millones millón millions milliard milliards
    euro euros dollars dollar pounds yen км м см мм кг г т л ч мин с тыс млн млрд руб % градусов
    كم م سم مم كغ كجم غ طن لتر كم² متر مترا كيلومتر كيلومترا درجة درجات ألف آلاف مليون ملايين مليار
    مليارات دولار دولارا ريال يورو دينار جنيه درهم ليرة بالمئة بالمائة ٪ ק"מ ק״מ ק"ג ק״ג מ' ס"מ
    אחוז אחוזים אלף מיליון מיליארד שקל שקלים ש"ח ש״ח מעלות מטר मिमी सेमी मीटर किमी किलोमीटर किग्रा
    किलो ग्राम लीटर डिग्री प्रतिशत फीसदी हजार हज़ार लाख करोड़
    अरब रुपये रुपए triệu tỷ tỉ nghìn ngàn đồng độ phần mét
    บาท ล้าน ล้านบาท กม. กก. เมตร องศา 만 억 원 명 개 도 퍼센트 km/s"""
)
_SIGNS_BEFORE_NUMBERS = _listed("€ $ £ ¥ ₪ ₹ ₩ № § + - − ± ~ ≈ < > ≤ ≥ ٪ ฿ us$")
_DIGITS = tuple("0123456789٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹०१२३४५६७८९")
_DOTTED_LETTERS = regex.compile(r"(?:\p{L}\.)+\p{L}")
_ORDINAL = 2
"""Digits before a full stop that make an ordinal or a list mark rather than a year."""

_THOUSANDS = 3
_LEADING = OPENING + "\"'"


def first_letter(word: str) -> str:
    """The first character of a word that is no opening sign, or an empty string."""
    return word.lstrip(_LEADING)[:1]


def ends_sentence(word: str, following: str) -> bool:
    """Whether a sentence ends after `word`, when `following` is the next word across white space.

    Signs of CJK and other scripts of their own always end one; a full stop only where it is not
    that of a short form, an initial or an ordinal number, and no lower-case word goes on.
    """
    core = word.rstrip(CLOSING)
    if not core or core[-1] not in TERMINATORS:
        return False
    if core[-1] not in ".!?…":
        return True
    if first_letter(following).islower():
        return False
    return core[-1] != "." or core.endswith("..") or not _is_short_form(core)


def _is_short_form(core: str) -> bool:
    stem = core[:-1].lstrip(_LEADING).casefold()
    return (
        not stem
        or stem in _KEEPS_NEXT
        or stem in _SHORT_FORMS
        or (len(stem) == 1 and stem.isalpha())
        or (len(stem) <= _ORDINAL and stem.isdecimal())
        or _DOTTED_LETTERS.fullmatch(stem) is not None
    )


def keeps_next(word: str, following: str) -> bool:
    """Whether no cut may stand between two words: a title and its name, a number and its unit."""
    stem = word.lstrip(_LEADING).casefold()
    after = first_letter(following)
    if stem in _WITHOUT_DOT:
        return True
    if stem.endswith(".") and (
        stem[:-1] in _KEEPS_NEXT
        or (len(stem[:-1]) == 1 and stem[0].isalpha())
        or (len(stem[:-1]) <= _ORDINAL and stem[:-1].isdecimal() and following[:1].isalpha())
    ):
        return True
    if after.isdecimal():
        return (
            stem.removesuffix(".") in _KEEPS_NUMBER
            or stem in _SIGNS_BEFORE_NUMBERS
            or _is_group_of_thousands(stem, following)
        )
    if not stem.rstrip("²³½¼¾%").endswith(_DIGITS):
        return False
    unit = following.rstrip(CLOSING + TERMINATORS + CLAUSE_MARKS + COMMA_MARKS).casefold()
    return unit in _UNITS


def _is_group_of_thousands(stem: str, following: str) -> bool:
    """``10 000``: groups of three digits behind a group of one to three."""
    group = following.rstrip(CLOSING + TERMINATORS + CLAUSE_MARKS + COMMA_MARKS)[:_THOUSANDS]
    more = following[_THOUSANDS : _THOUSANDS + 1]
    return (
        stem[-_THOUSANDS:].isdecimal()
        and len(stem) <= _THOUSANDS
        and len(group) == _THOUSANDS
        and group.isdecimal()
        and not more.isdecimal()
    )
