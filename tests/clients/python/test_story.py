"""One working day with matrix-nio, the library under many bots and bridges."""

import asyncio

import nio
import pytest

from company import company

PATIENCE_SECONDS = 30


@pytest.fixture(scope="module")
def address():
    with company() as address:
        yield address


async def employee(address, user, password):
    client = nio.AsyncClient(address, user)
    answer = await client.login(password, device_name="story")
    assert isinstance(answer, nio.LoginResponse), answer
    done(await client.sync(full_state=True))
    return client


def done(answer):
    """The answer itself, unless it is a refusal."""
    assert not isinstance(answer, nio.ErrorResponse), answer
    return answer


async def sync_until(client, find):
    """Syncs on until `find(answer)` finds something, and gives that."""

    async def search():
        while True:
            found = find(done(await client.sync(timeout=10_000)))
            if found:
                return found

    return await asyncio.wait_for(search(), PATIENCE_SECONDS)


def timeline(answer, room_id):
    room = answer.rooms.join.get(room_id)
    return room.timeline.events if room else []


async def send(client, room_id, body, **more):
    content = {"msgtype": "m.text", "body": body, **more}
    return done(await client.room_send(room_id, "m.room.message", content)).event_id


async def story(address):
    refused = await nio.AsyncClient(address, "anna.weber").login("wrong")
    assert isinstance(refused, nio.LoginError) and refused.status_code == "M_FORBIDDEN"
    anna = await employee(address, "anna.weber", "nordlicht-anna")
    jonas = await employee(address, "jonas.meyer", "nordlicht-jonas")
    try:
        await working_day(address, anna, jonas)
    finally:
        await anna.close()
        await jonas.close()


async def working_day(address, anna, jonas):
    assert anna.user_id == "@anna.weber:nordlicht.example"
    assert done(await jonas.get_displayname(anna.user_id)).displayname == "Anna Weber"

    # A space, a channel in it, and somebody to talk to.
    space = done(await anna.room_create(name="Engineering", space=True)).room_id
    channel = done(await anna.room_create(name="general", invite=[jonas.user_id])).room_id
    child = {"via": ["nordlicht.example"]}
    done(await anna.room_put_state(space, "m.space.child", child, state_key=channel))
    await sync_until(jonas, lambda answer: channel in answer.rooms.invite)
    done(await jonas.join(channel))
    await sync_until(jonas, lambda answer: channel in answer.rooms.join)

    # Said, read, answered.
    first = await send(anna, channel, "good morning")
    heard = await sync_until(jonas, lambda answer: timeline(answer, channel))
    assert [event.body for event in heard if isinstance(event, nio.RoomMessageText)] == ["good morning"]
    done(await jonas.room_typing(channel, True, 20_000))
    done(await jonas.update_receipt_marker(channel, first))
    await sync_until(anna, lambda answer: any(
        isinstance(event, nio.ReceiptEvent) and any(receipt.user_id == jonas.user_id for receipt in event.receipts)
        for event in (answer.rooms.join[channel].ephemeral if channel in answer.rooms.join else [])
    ))
    edit = {"m.new_content": {"msgtype": "m.text", "body": "good morning, all"},
            "m.relates_to": {"rel_type": "m.replace", "event_id": first}}
    await send(anna, channel, "* good morning, all", **edit)
    reaction = {"m.relates_to": {"rel_type": "m.annotation", "event_id": first, "key": "👋"}}
    done(await jonas.room_send(channel, "m.reaction", reaction))
    await send(jonas, channel, "in the thread", **{"m.relates_to": {"rel_type": "m.thread", "event_id": first}})
    event = done(await anna.room_get_event(channel, first)).event.source
    relations = event["unsigned"]["m.relations"]
    assert relations["m.replace"]["content"]["m.new_content"]["body"] == "good morning, all"
    assert relations["m.thread"]["count"] == 1

    # Five hundred lines, scrolled back on another device.
    lines = [f"line {number}" for number in range(500)]
    for line in lines:
        await send(anna, channel, line)
    phone = await employee(address, "jonas.meyer", "nordlicht-jonas")
    try:
        assert phone.device_id != jonas.device_id
        seen, start = [], phone.next_batch
        while start:
            page = done(await phone.room_messages(channel, start, limit=50))
            seen += [event.body for event in page.chunk if isinstance(event, nio.RoomMessageText)]
            start = page.end
        assert [body for body in reversed(seen) if body.startswith("line ")] == lines
        assert len(done(await jonas.devices()).devices) == 2
        done(await phone.logout())
        assert len(done(await jonas.devices()).devices) == 1
    finally:
        await phone.close()

    slip = await send(anna, channel, "a slip")
    done(await anna.room_redact(channel, slip))
    assert isinstance(done(await jonas.room_get_event(channel, slip)).event, nio.RedactedEvent)


def test_an_employees_day(address):
    asyncio.run(story(address))
