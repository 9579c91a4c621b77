"""Configuration: what is read, in which order, and how wrong values are told of."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worldloom.cli.config import default_toml
from worldloom.config import Config, expectation, ignored_variables, is_secret, load
from worldloom.errors import ConfigError

ROOT = Path(__file__).parents[2]


def write(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_config_toml_at_the_root_is_what_the_classes_generate():
    assert (ROOT / "config.toml").read_text(encoding="utf-8") == default_toml(), (
        "run: worldloom config > config.toml"
    )


def test_the_generated_file_reads_back_as_the_defaults(tmp_path):
    assert load(write(tmp_path, default_toml()), {}, {}) == Config() == load(None, {}, {})


def test_every_key_has_a_description_and_an_expectation():
    for section in msgspec.structs.fields(Config):
        for field in msgspec.structs.fields(section.type):
            assert expectation(f"{section.name}.{field.name}")


def test_environment_beats_file_and_option_beats_environment(tmp_path):
    path = write(tmp_path, "[server]\nport = 1\nhost = '::1'\ndata = 'from-file'\n")
    environ = {"WORLDLOOM_SERVER__PORT": "2", "WORLDLOOM_SERVER__HOST": "127.0.0.1"}
    config = load(path, environ, {"server.port": 3, "server.host": None})
    assert (config.server.port, config.server.host, config.server.data) == (3, "127.0.0.1", "from-file")


def test_environment_speaks_booleans_numbers_and_lists():
    environ = {
        "WORLDLOOM_MQTT__ENABLED": "true",
        "WORLDLOOM_WORLD__SPAWN_X_M": "-12.5",
        "WORLDLOOM_SERVER__TRUSTED_PROXIES": "10.0.0.0/8, ::1",
        "WORLDLOOM_SERVER__ALLOWED_ORIGINS": "",
        "WORLDLOOM_WORLD__NAME": "1234",
    }
    config = load(None, environ, {})
    assert config.mqtt.enabled is True
    assert config.world.spawn_x_m == -12.5
    assert config.server.trusted_proxies == ("10.0.0.0/8", "::1")
    assert config.server.allowed_origins == ()
    assert config.world.name == "1234"


LISTS = {
    "server.trusted_proxies": ("10.0.0.0/8", "::1"),
    "server.allowed_origins": ("https://example.org", "http://127.0.0.1"),
}


def said(value: object) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value).lower()


def test_every_value_of_the_environment_is_of_the_very_type_of_its_key():
    for section in msgspec.structs.fields(Config):
        for field in msgspec.structs.fields(section.type):
            key, default = f"{section.name}.{field.name}", getattr(section.default, field.name)
            given = LISTS.get(key, default)
            config = load(None, {f"WORLDLOOM_{key.replace('.', '__').upper()}": said(given)}, {})
            value = getattr(getattr(config, section.name), field.name)
            assert (type(value), repr(value).lower()) == (type(default), repr(given).lower()), key
            assert {type(part) for part in LISTS.get(key, ()) and value} <= {str}, key


def test_a_greeting_of_the_environment_can_be_told_in_a_welcome():
    greeting = load(None, {"WORLDLOOM_ACCESS__GREETING": "hi"}, {}).access.greeting
    assert msgspec.msgpack.encode(greeting) == b"\xa2hi"


def test_variables_without_a_section_belong_to_others():
    assert load(None, {"WORLDLOOM_PORT": "tcp://10.0.0.1:8420", "SERVER__PORT": "1"}, {}) == Config()


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("WORLDLOOM_SERVER_PORT", "two underscores; did you mean WORLDLOOM_SERVER__PORT?"),
        ("WORLDLOOM_TLS_CERT", "two underscores; did you mean WORLDLOOM_SERVER__TLS_CERT?"),
        ("WORLDLOOM_NONSENSE", "WORLDLOOM_NONSENSE is not read: expected WORLDLOOM_SECTION__KEY"),
    ],
)
def test_a_variable_that_looks_like_a_setting_is_told_of_with_what_was_meant(name, line):
    found = ignored_variables(
        {name: "1", "WORLDLOOM_TEST_MQTT": "1", "WORLDLOOM_SERVER__PORT": "1", "WORLDLOOM_KEY": "1", "X": "1"}
    )
    assert len(found) == 1
    assert line in found[0]


@pytest.mark.parametrize(
    ("variable", "value", "parts"),
    [
        ("SERVER__PORT", "x", ["WORLDLOOM_SERVER__PORT", "server.port", "an integer from 0 to 65535", '"x"']),
        ("SERVER__PORT", "65536", ["server.port", "from 0 to 65535", "65536"]),
        ("SERVER__PROT", "1", ["server.prot", "a key of [server]", "did you mean server.port?"]),
        ("SERVR__PORT", "1", ["a section", "did you mean server.port?"]),
        ("WORLD__PORT", "1", ["a key of [world]", "did you mean server.port?"]),
        ("MQTT__ENABLED", "maybe", ["mqtt.enabled", "true or false", '"maybe"']),
        ("MQTT__WORLD_TOPIC", "a/#", ["mqtt.world_topic", "without # and +"]),
        ("WORLD__SPAWN_X_M", "nan", ["world.spawn_x_m", "a number from -8388000 to 8388000"]),
        ("WORLD__SPAWN_X_M", "inf", ["world.spawn_x_m"]),
        ("WORLD__NAME", "", ["world.name", "text of 1 to 64 characters"]),
        ("LOG__LEVEL", "loud", ['one of "debug", "error", "info", "warning"', '"loud"']),
        ("SERVER__TRUSTED_PROXIES", "nonsense", ["server.trusted_proxies", "10.0.0.0/8", '"nonsense"']),
        ("SERVER__ALLOWED_ORIGINS", "https://x.org/path", ["server.allowed_origins", "https://example.org"]),
        ("SERVER__TLS_CERT", "cert.pem", ["server.tls_key", "both or neither", "give --tls-key"]),
        ("SERVER__TLS_KEY", "key.pem", ["server.tls_cert", "both or neither", "give --tls-cert"]),
    ],
)
def test_a_wrong_value_names_key_origin_expected_and_got(variable, value, parts):
    with pytest.raises(ConfigError) as caught:
        load(None, {f"WORLDLOOM_{variable}": value}, {})
    assert [part for part in parts if part not in str(caught.value)] == []


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("port = 1", "a section"),
        ("[server]\nport = '8420'", 'server.port: expected an integer from 0 to 65535; got "8420"'),
        ("[server]\nport = true", "got true"),
        ("[mqtt]\nenabled = 1", "true or false; got 1"),
        ("[server]\ntrusted_proxies = '::1'", "a list of texts"),
        ("[server]\nport = 1979-05-27", "1979-05-27"),
        ("[server\n", "expected TOML"),
        ("[world.name]\nx = 1", "world.name: expected text of 1 to 64 characters"),
    ],
)
def test_a_wrong_file_is_told_of_with_its_name(tmp_path, text, part):
    with pytest.raises(ConfigError, match=r"config\.toml") as caught:
        load(write(tmp_path, text), {}, {})
    assert part in str(caught.value)


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        load(tmp_path / "nowhere.toml", {}, {})


def test_a_database_url_is_never_shown():
    assert is_secret("storage.url")
    with pytest.raises(ConfigError) as caught:
        load(None, {"WORLDLOOM_STORAGE__URL": "mysql://me:hunter2@db/x"}, {})
    assert "hunter2" not in str(caught.value)
    with pytest.raises(ConfigError, match="not shown") as caught:
        load(None, {}, {"storage.url": 5})


def test_sqlite_lies_in_the_data_folder_unless_a_url_says_otherwise():
    assert load(None, {}, {"server.data": "/srv/w"}).storage_url == "sqlite:////srv/w/world.db"
    url = "postgresql+psycopg://u@h/d"
    assert load(None, {}, {"storage.url": url}).storage_url == url


def test_sections_are_frozen():
    with pytest.raises(AttributeError):
        Config().server.port = 1


@given(st.text(), st.text())
def test_any_environment_gives_a_configuration_or_a_config_error(name, value):
    try:
        loaded = load(None, {f"WORLDLOOM_{name}": value, f"WORLDLOOM_SERVER__{name}": value}, {})
    except ConfigError as error:
        loaded = error
    assert isinstance(loaded, Config | ConfigError)
