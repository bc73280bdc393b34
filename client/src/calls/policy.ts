import { type MatrixClient, Method } from "matrix-js-sdk/lib/matrix";
import * as v from "valibot";

const Layer = v.object({
  width: v.number(),
  height: v.number(),
  max_bitrate: v.number(),
  max_framerate: v.number(),
});

const Codec = v.fallback(v.picklist(["vp8", "vp9", "h264", "av1"]), "vp8");

const Policy = v.object({
  audio: v.object({
    sample_rate: v.number(),
    channels: v.number(),
    max_bitrate: v.number(),
    dtx: v.boolean(),
  }),
  video: v.object({
    enabled: v.boolean(),
    layers: v.pipe(v.array(Layer), v.minLength(1)),
    codec: Codec,
    off_below_bitrate: v.number(),
  }),
  screen_share: v.object({
    enabled: v.boolean(),
    width: v.number(),
    height: v.number(),
    max_bitrate: v.number(),
    max_framerate: v.number(),
    codec: Codec,
  }),
});

/** What a call may send at most (docs/calls.md § Media policy). Rates are bit/s. */
export type MediaPolicy = v.InferOutput<typeof Policy>;

/** What stands in for a server without a policy of its own: the numbers that ours has unless told otherwise. */
const USUAL_POLICY: MediaPolicy = {
  audio: { sample_rate: 48_000, channels: 2, max_bitrate: 32_000, dtx: true },
  video: {
    enabled: true,
    layers: [
      { width: 320, height: 180, max_bitrate: 150_000, max_framerate: 15 },
      { width: 640, height: 360, max_bitrate: 500_000, max_framerate: 24 },
      { width: 1280, height: 720, max_bitrate: 1_500_000, max_framerate: 30 },
    ],
    codec: "vp8",
    off_below_bitrate: 200_000,
  },
  screen_share: {
    enabled: true,
    width: 1920,
    height: 1080,
    max_bitrate: 1_500_000,
    max_framerate: 15,
    codec: "vp9",
  },
};

/** Asks the server what may be sent in this room from here. */
export async function loadPolicy(client: MatrixClient, roomId: string): Promise<MediaPolicy> {
  const answer: unknown = await client.http
    .authedRequest(Method.Get, "/client/v1/rtc/policy", { room_id: roomId }, undefined, {
      prefix: "/_echorift",
    })
    // Another make of server has none, and a call is worth more than its policy.
    .catch(() => undefined);
  const policy = v.safeParse(Policy, answer);
  return policy.success ? policy.output : USUAL_POLICY;
}
