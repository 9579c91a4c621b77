import asyncio

from worldloom.bench.residents import Settings, make_world, write_config
from worldloom.config import load
from worldloom.persistence.store import open_store
from worldloom.services.accounts import hash_token
from worldloom.services.standing import Ask, enter
from worldloom_sdk.protocol.geometry import GROUND_Y


async def test_each_token_leads_to_an_account_that_was_last_at_its_spot(tmp_path):
    config = tmp_path / "config.toml"
    write_config(config, Settings(clients=3, full_rate=True))
    spots = [(7_000, 8_000), (-9, 10), (7_000, 8_000)]
    tokens = await asyncio.to_thread(make_world, config, tmp_path / "data", spots)
    settings = load(config, {}, {"server.data": str(tmp_path / "data")})
    assert settings.sync.bytes_per_second_per_client == 0
    store = open_store(settings.storage_url)
    found = [await store.run(enter, Ask(token_sha256=hash_token(token))) for token in tokens]
    await store.close()
    lasts = [standing.account.place for standing in found]
    assert [(last.x, last.z, last.y) for last in lasts] == [(x, z, GROUND_Y) for x, z in spots]
