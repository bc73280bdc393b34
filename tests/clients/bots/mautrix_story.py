"""A bot on mautrix, the library under many bridges, as an application service: it answers in a public, in a private and
in an encrypted room, each of its own server and of another one. Its crypto device is made and fed by the application service API alone: it neither logs in nor syncs.
"""

import asyncio
import contextlib

import aiohttp
from mautrix.appservice import AppService, ASStateStore
from mautrix.client import Client
from mautrix.client.state_store import MemoryStateStore
from mautrix.crypto import OlmMachine
from mautrix.crypto.store import MemoryCryptoStore, StateStore
from mautrix.types import EventType, Membership, MessageType, RoomCreatePreset, TextMessageEventContent

from server import FAR, NAME, PATIENCE_SECONDS, free_port, servers

AS_TOKEN, HS_TOKEN, BOT = "token of the service", "token of the server", "echobot"


def registration(port):
    return f"""
id: mautrix
url: http://127.0.0.1:{port}
as_token: {AS_TOKEN}
hs_token: {HS_TOKEN}
sender_localpart: {BOT}
namespaces:
  users:
    - exclusive: true
      regex: "@{BOT}_.*:{NAME}"
  aliases: []
  rooms: []
rate_limited: false
de.sorunome.msc2409.push_ephemeral: true
receive_ephemeral: true
org.matrix.msc3202: true
"""


class States(MemoryStateStore, StateStore):
    """What the crypto asks of rooms."""

    async def find_shared_rooms(self, user_id):
        return [room for room, members in self.members.items() if user_id in members]


class ServiceStates(States, ASStateStore):
    def __init__(self):
        MemoryStateStore.__init__(self)
        ASStateStore.__init__(self)


class Store(MemoryCryptoStore):
    """Memory needs no transactions, but the machine asks for them."""

    @contextlib.asynccontextmanager
    async def transaction(self):
        yield


async def crypto_for(client, states):
    store = Store("", "story")
    machine = OlmMachine(client, store, states)
    await machine.load()
    await machine.share_keys()
    return machine


class Bot:
    """Repeats what it hears."""

    def __init__(self, address, port):
        self.port = port
        self.states = ServiceStates()
        self.service = AppService(
            server=address, domain=NAME, as_token=AS_TOKEN, hs_token=HS_TOKEN, bot_localpart=BOT, id="mautrix",
            state_store=self.states, ephemeral_events=True, encryption_events=True,
        )
        self.client = Client(base_url=address, mxid=self.service.bot_mxid, state_store=self.states)
        self.client.api.token = AS_TOKEN

    async def start(self):
        await self.service.start("127.0.0.1", self.port)
        await self.client.create_device_msc4190("ECHO", "Echo")
        self.crypto = await crypto_for(self.client, self.states)
        self.service.otk_handler = self.crypto.handle_as_otk_counts
        self.service.device_list_handler = self.crypto.handle_as_device_lists
        self.service.to_device_handler = self.crypto.handle_as_to_device_event
        self.service.matrix_event_handler(self.hear)
        assert await self.service.ping_self("hello") >= 0

    async def stop(self):
        await self.client.api.session.close()
        await self.service.stop()

    async def hear(self, event):
        if event.type == EventType.ROOM_MEMBER and event.state_key == self.service.bot_mxid:
            if event.content.membership == Membership.INVITE:
                await self.service.intent.join_room_by_id(event.room_id)
            return
        if event.sender == self.service.bot_mxid:
            return
        if event.type == EventType.ROOM_ENCRYPTED:
            await self.crypto.wait_for_session(event.room_id, event.content.session_id, timeout=10)
            decrypted = await self.crypto.decrypt_megolm_event(event)
            content = answer_to(decrypted)
            await self.crypto.share_group_session(event.room_id, [event.sender, self.service.bot_mxid])
            content = await self.crypto.encrypt_megolm_event(event.room_id, EventType.ROOM_MESSAGE, content)
            await self.client.send_message_event(event.room_id, EventType.ROOM_ENCRYPTED, content)
        elif event.type == EventType.ROOM_MESSAGE:
            await self.service.intent.send_message(event.room_id, answer_to(event))


def answer_to(event):
    return TextMessageEventContent(msgtype=MessageType.TEXT, body=f"echo: {event.content.body}")


class Person:
    """Somebody with a client that encrypts."""

    def __init__(self, address, name):
        self.address, self.name = address, name
        self.states = States()
        self.heard = asyncio.Queue()

    async def start(self):
        body = {"username": self.name, "password": "a long password", "auth": {"type": "m.login.dummy"}}
        async with aiohttp.ClientSession() as http:
            async with http.post(f"{self.address}/_matrix/client/v3/register", json=body) as answer:
                made = await answer.json()
        self.client = Client(
            base_url=self.address, mxid=made["user_id"], device_id=made["device_id"], token=made["access_token"],
            state_store=self.states,
        )
        self.crypto = await crypto_for(self.client, self.states)
        self.client.add_event_handler(EventType.ROOM_MESSAGE, self.hear)
        self.client.add_event_handler(EventType.ROOM_ENCRYPTED, self.hear_encrypted)
        self.syncing = self.client.start(None)

    async def stop(self):
        self.client.stop()
        await self.client.api.session.close()

    async def hear(self, event):
        if event.sender != self.client.mxid:
            self.heard.put_nowait((event.room_id, event.content.body))

    async def hear_encrypted(self, event):
        if event.sender != self.client.mxid:
            await self.crypto.wait_for_session(event.room_id, event.content.session_id, timeout=10)
            await self.hear(await self.crypto.decrypt_megolm_event(event))

    async def answer_in(self, room_id):
        return await asyncio.wait_for(self.next_in(room_id), PATIENCE_SECONDS)

    async def next_in(self, room_id):
        while True:
            room, body = await self.heard.get()
            if room == room_id:
                return body

    async def wait_for_bot(self, room_id, bot):
        async def joined():
            while bot not in await self.client.get_joined_members(room_id):
                await asyncio.sleep(0.05)

        await asyncio.wait_for(joined(), PATIENCE_SECONDS)


async def talk(person, bot, via):
    """The bot is called into rooms of the person's server, and answers there."""
    mxid = bot.service.bot_mxid
    public = await person.client.create_room(preset=RoomCreatePreset.PUBLIC)
    await bot.client.join_room(public, servers=[via])
    await person.wait_for_bot(public, mxid)
    await person.client.send_text(public, "hello, everybody")
    assert await person.answer_in(public) == "echo: hello, everybody"

    private = await person.client.create_room(preset=RoomCreatePreset.PRIVATE, invitees=[mxid])
    await person.wait_for_bot(private, mxid)
    await person.client.send_text(private, "hello, you")
    assert await person.answer_in(private) == "echo: hello, you"

    encryption = {"type": "m.room.encryption", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}
    secret = await person.client.create_room(preset=RoomCreatePreset.PRIVATE, invitees=[mxid], initial_state=[encryption])
    await person.wait_for_bot(secret, mxid)
    for states, client in [(person.states, person.client), (bot.states, bot.client)]:
        await states.set_encryption_info(secret, await client.get_state_event(secret, EventType.ROOM_ENCRYPTION))
    await person.crypto.share_group_session(secret, [person.client.mxid, mxid])
    words = TextMessageEventContent(msgtype=MessageType.TEXT, body="between us")
    content = await person.crypto.encrypt_megolm_event(secret, EventType.ROOM_MESSAGE, words)
    await person.client.send_message_event(secret, EventType.ROOM_ENCRYPTED, content)
    assert await person.answer_in(secret) == "echo: between us"


async def story(near, far, port):
    bot, anna, zoe = Bot(near, port), Person(near, "anna"), Person(far, "zoe")
    started = []
    try:
        for one in (bot, anna, zoe):
            await one.start()
            started.append(one)
        await talk(anna, bot, NAME)
        await talk(zoe, bot, FAR)
    finally:
        for one in reversed(started):
            await one.stop()


def main():
    port = free_port()
    with servers({"mautrix": registration(port)}) as (near, far):
        asyncio.run(story(near, far, port))
    print("a mautrix bot answers in public, private and encrypted rooms, of its server and of another")


if __name__ == "__main__":
    main()
