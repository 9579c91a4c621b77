"""The Welcome: what somebody is told who is in the world now."""

from worldloom.gateway.rules import Rules
from worldloom.gateway.session import Session
from worldloom_sdk.protocol import messages

__all__ = ["welcome"]


def welcome(
    session: Session, place: tuple[int, int, int, int], rules: Rules, world_ms: int, resume: str
) -> messages.Welcome:
    """What a session is welcomed with.

    Args:
        session: Who is in the world now.
        place: Where its body is: x, z, y in units, and yaw.
        rules: Of this world.
        world_ms: World time.
        resume: Its new resume token.
    """
    x, z, y, yaw = place
    standing = session.standing
    return messages.Welcome(
        version=messages.PROTOCOL_VERSION,
        you=session.avatar,
        name=session.name,
        world=rules.world,
        world_id=rules.world_id,
        server_ms=world_ms,
        x=x,
        z=z,
        y=y,
        yaw=yaw,
        resume=resume,
        limits=messages.Limits(
            speed=rules.speed,
            climb=rules.climb,
            moves_per_s=rules.moves_per_s,
            text_chars=rules.text_chars,
            view_cells=rules.view_cells,
            resume_ms=round(rules.resume_s * 1000),
        ),
        token=session.token,
        resumed=session.resumed,
        greeting=rules.greeting,
        role=standing.role,
        scopes=None if standing.scopes is None else sorted(standing.scopes),
        recovery=session.recovery,
        hidden=standing.hidden,
        look=session.look,
        findable=session.findable,
    )
