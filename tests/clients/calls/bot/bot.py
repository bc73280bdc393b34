"""A bot in a call: it hears who speaks and sends a tone, with the `livekit` package and no other client.

Reads its task as one line of JSON from standard input, tells what happens as lines of JSON, and leaves when standard
input closes.
"""

import array
import asyncio
import json
import math
import sys
import urllib.request

from livekit import rtc

SAMPLE_RATE = 48_000
FRAME_SAMPLES = SAMPLE_RATE // 100
# Of 32,767: far above the noise of a codec, far below the beeps of a browser's fake microphone.
SILENCE_MAX = 300
LOUDNESS = 10_000


def tell(**what):
    print(json.dumps(what), flush=True)


def post(url, body, access_token=None):
    headers = {"content-type": "application/json"}
    if access_token:
        headers["authorization"] = f"Bearer {access_token}"
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as response:
        return json.load(response)


def sfu_token(task):
    """Where to go and what to show there, for the same identity as a client of this device would get."""
    openid = f"{task['baseUrl']}/_matrix/client/v3/user/{task['userId']}/openid/request_token"
    openid_token = post(openid, {}, task["accessToken"])
    body = {"room": task["roomId"], "openid_token": openid_token, "device_id": task["deviceId"]}
    return post(f"{task['serviceUrl']}/sfu/get", body)


async def listen(track, identity):
    """Tells once when this track carries more than silence."""
    async for event in rtc.AudioStream(track, sample_rate=SAMPLE_RATE, num_channels=1):
        loudest = max(abs(sample) for sample in event.frame.data)
        if loudest > SILENCE_MAX:
            tell(heard=identity, loudest=loudest)
            return


async def play(source, hertz):
    """A sine for as long as the bot lives; the source holds the frames back to their own time."""
    position = 0
    while True:
        angles = (2 * math.pi * hertz * (position + i) / SAMPLE_RATE for i in range(FRAME_SAMPLES))
        samples = array.array("h", (int(LOUDNESS * math.sin(angle)) for angle in angles))
        position += FRAME_SAMPLES
        await source.capture_frame(rtc.AudioFrame(samples.tobytes(), SAMPLE_RATE, 1, FRAME_SAMPLES))


async def main():
    task = json.loads(sys.stdin.readline())
    token = sfu_token(task)
    room = rtc.Room()
    listeners = set()

    @room.on("track_subscribed")
    def on_track(track, _publication, participant):
        if track.kind == rtc.TrackKind.KIND_AUDIO:
            listeners.add(asyncio.create_task(listen(track, participant.identity)))

    await room.connect(token["url"], token["jwt"])
    source = rtc.AudioSource(SAMPLE_RATE, 1)
    microphone = rtc.LocalAudioTrack.create_audio_track("tone", source)
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
    await room.local_participant.publish_track(microphone, options)
    tell(identity=room.local_participant.identity)
    player = asyncio.create_task(play(source, task["hertz"]))
    await asyncio.to_thread(sys.stdin.read)
    player.cancel()
    await room.disconnect()


asyncio.run(main())
