"""Names: honest ones of many scripts pass, what only looks like another's does not."""

import contextlib
import importlib.util
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worldloom.errors import Refusal
from worldloom.realm import name_tables
from worldloom.realm.names import NAME_MAX, RESERVED, Name, clean_name, clean_text
from worldloom.realm.skeletons import SKELETON_LIMIT, skeleton
from worldloom_sdk.protocol.messages import RefusalCode

HONEST = {
    "Latin": "Alice Bob Zoë José Jose Renée Łukasz Søren Jürgen Jurgen Åsa Nguyễn Đặng Ömer Iğdır Beyoncé Niño Nino "
    "Čeněk Māui Ólafur Þór Ștefan Győző Adébáyọ̀ O'Neil Anna-Lisa D'Angelo X_Wing Bot7 Ana Ava Eva Ivan Nadim Vadim",
    "Cyrillic": "Ольга Иван Наталья Дмитрий Юлия Ґалаґан Їжак Ђорђе Њива Айгүл Өмір Сара Роман Щукин Эльдар",
    "Greek": "Γιώργος Άννα Ελένη Μαρία Νίκος Σοφία Δημήτρης Ιωάννα Θεοδώρα Ξένια Οδυσσέας Φωτεινή",
    "Arabic": "محمد فاطمة علي خديجة يوسف زينب عبدالله حسين مريم پریسا گلناز شیرین",
    "Hebrew": "משה רחל דוד שרה יעקב נועה אברהם תמר יצחק רון רוני דויד מרים אסתר",
    "Devanagari": "मोहन प्रिया आदित्य लक्ष्मी सुरेश गीता विक्रम अनुष्का श्रीकृष्ण राधिका",
    "Han": "王伟 李娜 張偉 刘洋 陳美玲 山田太郎 佐々木 杨柳 赵云 诸葛亮",
    "Kana": "やまだ さくら たろう はなこ ヤマダ サクラ タロー ハナコ すずき ケンジ",
    "Japanese": "佐藤さくら 高橋ケン 田中まこと 東京タワー",
    "Hangul": "김철수 이영희 박지성 최민호 정수빈 한지민 강하늘 윤아름 송중기 배수지",
    "Thai": "สมชาย สมหญิง วิชัย มาลี ประเสริฐ กัญญา อนันต์ พิมพ์ใจ ณัฐวุฒิ ศิริพร",
    "Armenian": "Արմեն Անահիտ Տիգրան Նարեկ",
    "Georgian": "გიორგი ნინო თამარ ლევან",
    "Bengali": "রহিম সুমিতা অনির্বাণ শ্রেয়া",
    "Tamil": "முருகன் கண்ணன் மீனா செல்வி",
    "Ethiopic": "አበበ ታደሰ ሰላም",
}
NAMES = [name for names in HONEST.values() for name in names.split()] + [
    "J. R. Smith",
    "Mary Ann",
    "José María",
]

SPOOFS = {
    "Alice": "AIice A1ice Al1ce ALICE alice aLICE Aiice AIICE Ａｌｉｃｅ Alİce Al\u200bice Al\u200dice Al\u2060ice "
    "\u200eAlice Al\u00adice Alice\u202e \ufeffAlice Al\u034fice Al\ufe0fice Аlice Alicе Alісe Αlice 𝐀𝐥𝐢𝐜𝐞 𝒜𝓁𝒾𝒸ℯ 𝔸𝕝𝕚𝕔𝕖 "
    "𝖠𝗅𝗂𝖼𝖾 Ⓐlice ⓐⓛⓘⓒⓔ 🅰lice Aⅼⅰⅽe Alⅰce Aⅼice ᴀlice Aʟice Alɪce ᎪlicᎬ Aliⅽe A|ice Aǀice Alice\u0332 A\u0338lice "
    "Al\u0335ice Ali\u0307ce AlI\u0307ce Al\u0307ice A.lice Al'ice A’lice Alice\u0301\u0301 "
    "A\u0300\u0301\u0302\u0303\u0304lice Alic\u0435 \U000e0041Alice "
    "Al\u115fice Al\u3164ice Al\u180eice Alice\u00a0 Alıce",
    "Bob": "B0b BOB ʙob Воb Вов Ｂｏｂ Bοb ΒΟΒ ВОВ Boҍ B\u043eb B\u0ed0b B\u0966b Βοb ℬob B\u2080b B⓪b",
    "Tom": "T0rn Torn TORN Tοm Тom ТОМ ΤΟΜ том T\u043em Toｍ Toⅿ To𝐦 тоm τom ᴛom T\u0585m",
    "Will": "WiII Wi11 VVill vvill Wıll W1LL VV1II Ｗill Wiⅼⅼ Wⅰll Ԝill Wіll",
    "Mary Ann": "Mary_Ann Mary-Ann mary.\u00a0ann MARY\u3000ANN RNary_Ann Μary_Ann Mary\u2009Ann Mary\u2003Ann",
    "Cocos": "соcos сосоѕ COCOS C0C05 сoсos ϲocos ⅽocos СОСОЅ Соcоs Coco5",
    "Anna": "ANNA ΑΝΝΑ Аnna Αnna Annа ａｎｎａ Aηna A\u0274na",
    "Nova": "Νονα Noνa ΝΟνα N0va Ноνα",
    "Ольга": "ОЛЬГА ольга Oльга Ольгa Ольг\u0430\u0338",
    "Άννα": "άννα ΆΝΝΑ Άννa",
    "محمد": "مُحَمَّد محـمد",
}
PAIRS = [(taken, spoof) for taken, spoofs in SPOOFS.items() for spoof in spoofs.split(" ") if spoof]


def outcome(name: str) -> Name | None:
    """The name, or None when it is refused."""
    with contextlib.suppress(Refusal):
        return clean_name(name)
    return None


def test_there_are_names_enough_to_mean_something() -> None:
    assert len(NAMES) >= 150
    assert len(HONEST) >= 10
    assert len(set(PAIRS)) >= 120


@pytest.mark.parametrize("script", HONEST)
def test_honest_names_pass_and_are_shown_as_they_were_typed(script: str) -> None:
    for name in HONEST[script].split():
        assert clean_name(name).shown == unicodedata.normalize("NFC", name)


def test_honest_names_are_told_apart() -> None:
    by_skeleton: dict[str, list[str]] = {}
    for name in NAMES:
        by_skeleton.setdefault(clean_name(name).skeleton, []).append(name)
    assert [names for names in by_skeleton.values() if len(names) > 1] == []


@pytest.mark.parametrize(("taken", "spoof"), PAIRS)
def test_what_looks_like_a_taken_name_collides_or_is_refused(taken: str, spoof: str) -> None:
    name = outcome(spoof)
    assert name is None or clean_name(taken).skeleton in (name.skeleton, name.lookalike)


def test_latin_names_look_like_nothing_but_their_skeleton() -> None:
    assert {clean_name(name).lookalike for name in HONEST["Latin"].split()} == {""}


@pytest.mark.parametrize("word", RESERVED)
def test_reserved_names_are_refused_in_every_disguise(word: str) -> None:
    disguises = [
        word,
        word.upper(),
        f"{word}7",
        f"{word} 2026",
        f"{word[0]}\u0301{word[1:]}",
        f"{word[:2]}.{word[2:]}",
    ]
    disguises += [word.translate(str.maketrans("oiea", "01E4")), word.translate(str.maketrans("oi", "0I"))]
    assert [name for name in disguises if outcome(name) is not None] == []


@pytest.mark.parametrize(
    "name", ["adm1n", "аdmin", "Adrnin", "The Admin", "Admin Bob", "5taff", "Adṃin", "VVorldloorn"]
)
def test_titles_are_refused_even_as_part_of_a_name(name: str) -> None:
    assert outcome(name) is None


@pytest.mark.parametrize(
    "name", ["Modesto", "Hosta", "Badmington", "Rooter", "Guestrin", "Systema Nova", "Worldly"]
)
def test_names_that_only_begin_like_reserved_ones_pass(name: str) -> None:
    assert clean_name(name).shown == name


@pytest.mark.parametrize(
    "raw",
    [
        "", " ", "A", "x" * (NAME_MAX + 1), "x" * 1000, "12", "7-7", "-Ann", "Ann-", "Ann_", "A  nn", "A--nn", "A-_nn",
        ".Ann", "Ann!", "Ann@home", "<b>Ann", "An\nn",
        "An\tn", "An\x00n", "An\ud800n", "Ann\ue000", "Ann\u0378", "😀😀",
        "Ann😀", "\u0301Ann", "A-\u0301nn", "Annабв", "Annя", "あAnn", "한Ann", "אב١", "ab\u0661", "ßß" * 13,
        "a/b", "C:\\", "Ann;", "%41nn", "a\u2028b", "ÀÁ" * 13, "\u0e31\u0e31", "𓀀𓀁", "ᚠᚢ",
    ],
)  # fmt: skip
def test_what_is_no_name_is_refused_with_the_reason(raw: str) -> None:
    with pytest.raises(Refusal, match="expected") as refusal:
        clean_name(raw)
    assert refusal.value.code is RefusalCode.NAME_INVALID


def test_names_are_normalised_and_trimmed() -> None:
    assert clean_name("  Jose\u0301 ").shown == "José"
    assert clean_name("O\u2019Neil") == clean_name("O'Neil")
    assert clean_name("Ａｎｎ").shown == "Ann"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Alice", "allce"),
        ("rn", "rn"),
        ("m", "rn"),
        ("w", "vv"),
        ("0", "o"),
        ("5", "s"),
        ("ø", "o̸"),
        ("в", "b"),
        ("æ", "ae"),
    ],
)
def test_skeletons_of_known_letters(name: str, expected: str) -> None:
    assert skeleton(name) == expected


@given(st.text(max_size=60))
def test_any_text_is_a_name_or_is_refused(raw: str) -> None:
    name = outcome(raw)
    assert name is None or (2 <= len(name.shown) <= 48 and 1 <= len(name.skeleton) <= SKELETON_LIMIT)


@given(st.sampled_from(NAMES), st.sampled_from([str.upper, str.lower, str.swapcase, str.title]))
def test_case_makes_no_other_name(name: str, recase) -> None:
    folded = unicodedata.normalize("NFKC", recase(name))
    assert skeleton(folded) == skeleton(unicodedata.normalize("NFKC", name))


@given(st.sampled_from(NAMES))
def test_a_cleaned_name_is_clean(name: str) -> None:
    once = clean_name(name)
    assert clean_name(once.shown) == once


def test_a_skeleton_of_the_longest_name_fits_its_column() -> None:
    longest = max((chr(c) for c in range(0xAC00, 0xD7A4)), key=lambda c: len(skeleton(c)))
    assert len(skeleton(longest * NAME_MAX)) <= SKELETON_LIMIT


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("hello", "hello"),
        ("  two\n\tlines \r\n here ", "two lines here"),
        ("\u202egnp.exe\u202c", "gnp.exe"),
        ("a\u2066b\u2069\u200e\u200f\u061cc", "abc"),
        ("nul\x00 bell\x07 esc\x1b[31m", "nul bell esc[31m"),
        ("z\u200be\u2060r\ufeffo", "zero"),
        ("e\u0301", "é"),
        ("\u200b\u202e \x00", ""),
        ("", ""),
        ("👩‍👩‍👧 می‌خواهم", "👩‍👩‍👧 می‌خواهم"),
        ("a\u2028b\u2029c\x85d", "a b c d"),
        ("bad\ud800surrogate", "badsurrogate"),
    ],
)
def test_spoken_text_is_cleaned(raw: str, clean: str) -> None:
    assert clean_text(raw, 100) == clean


def test_smeared_text_keeps_four_marks_on_a_letter() -> None:
    smeared = "x" + "\u0301\u0302\u0303" * 50 + "y"
    assert clean_text(smeared, 500) == "x\u0301\u0302\u0303\u0301y"


@pytest.mark.parametrize("raw", ["a" * 30, "é" * 30, "ab " * 30])
def test_long_text_is_cut(raw: str) -> None:
    assert len(clean_text(raw, 9)) in (8, 9)


@given(st.text())
def test_cleaning_text_twice_is_cleaning_it_once(raw: str) -> None:
    once = clean_text(raw, 100)
    assert len(once) <= 100
    assert clean_text(once, 100) == once


@pytest.fixture
def generator():
    """The tables' generator, where there is the library that it asks, of the version that the tables are from."""
    path = Path(__file__).parents[2] / "tools" / "make_name_tables.py"
    spec = importlib.util.spec_from_file_location("make_name_tables", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    try:
        found = module.Icu().unicode, unicodedata.unidata_version
    except OSError as error:
        pytest.skip(str(error))
    if found != (name_tables.UNICODE_VERSION, "14.0.0"):
        pytest.skip(
            f"the tables are of Unicode {name_tables.UNICODE_VERSION} seen by 14.0.0, here are {found}"
        )
    return module


@pytest.mark.slow
def test_the_tables_are_what_their_generator_writes(generator) -> None:
    assert generator.render(generator.Icu()) == generator.TARGET.read_text(encoding="utf-8")
