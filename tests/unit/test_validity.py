"""A certificate's dates: read from the file, told in words."""

import base64

import pytest

from worldloom.gateway.validity import SOON_S, Validity, validity_of


def der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content).to_bytes(2, "big")
    return bytes([tag, 0x82]) + size + content


def pem(*times: bytes, version: bytes = b"") -> bytes:
    """As much of a certificate as its dates need."""
    fields = [version, der(0x02, b"\x07"), der(0x30), der(0x30, b"x" * 200), der(0x30, *times)]
    text = base64.encodebytes(der(0x30, der(0x30, *fields), der(0x30)))
    return b"a line before\n-----BEGIN CERTIFICATE-----\n" + text + b"-----END CERTIFICATE-----\n"


VERSION = der(0xA0, b"\x02\x01\x02")


@pytest.mark.parametrize("version", [b"", VERSION])
def test_both_spellings_of_a_time_are_read(version: bytes) -> None:
    times = der(0x17, b"700101000000Z"), der(0x18, b"20500101000000Z")
    assert validity_of(pem(*times, version=version)) == Validity(0.0, 2_524_608_000.0)


def test_two_digits_of_a_year_mean_1950_to_2049() -> None:
    times = der(0x17, b"500101000000Z"), der(0x17, b"491231235959Z")
    found = validity_of(pem(*times))
    assert found is not None
    assert (found.not_before_s < 0, round(found.not_after_s)) == (True, 2_524_607_999)


@pytest.mark.parametrize("whole", [b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_what_is_no_certificate_has_no_dates(whole: bytes) -> None:
    assert validity_of(whole) is None
    assert validity_of(pem(der(0x17, b"soon"), der(0x17, b"later"))) is None


def test_words_tell_what_is_wrong_and_when() -> None:
    holds = Validity(1_000.0, 10_000_000.0)
    assert holds.warning(999.0) == "the certificate is not valid before 1970-01-01 00:16 UTC"
    assert holds.warning(10_000_000.0 - SOON_S - 1) == ""
    assert (
        holds.warning(10_000_000.0 - 86_400)
        == "the certificate expires on 1970-04-26 17:46 UTC, 1.0 days from now"
    )
    assert holds.fault(10_000_000.0 - 86_400) == ""
    assert holds.fault(10_000_001.0) == "the certificate expired on 1970-04-26 17:46 UTC"
