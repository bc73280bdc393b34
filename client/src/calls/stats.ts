// What the connection is like, from the browser's own statistics.

import { type Participant, RemoteTrack, type Track } from "livekit-client";
import { asUserId } from "~/matrix/ids";
import type { Sfu } from "./sfu";
import type { StreamStats } from "./types";

interface Counters {
  bytes: number;
  packets: number;
  lost: number;
  ts: number;
}

type Entry = Record<string, unknown>;
const numberOf = (entry: Entry | undefined, name: string): number => {
  const value = entry?.[name];
  return typeof value === "number" ? value : 0;
};

/** Rates need two looks: it remembers the counters of the last one. */
export class StatsReader {
  private before = new Map<string, Counters>();
  private after = new Map<string, Counters>();

  async read(
    sfus: readonly Sfu[],
    userOf: (identity: string) => string,
  ): Promise<{ streams: StreamStats[]; roundTripMs: number | undefined; upBitrate: number | undefined }> {
    this.after = new Map();
    const streams: StreamStats[] = [];
    const roundTrips: number[] = [];
    const estimates: number[] = [];
    for (const { room } of sfus) {
      const participants: Participant[] = [room.localParticipant, ...room.remoteParticipants.values()];
      for (const participant of participants) {
        for (const { track, source } of participant.trackPublications.values()) {
          const report = await reportOf(track);
          if (!report) continue;
          const entries = [...report.values()] as Entry[];
          roundTrips.push(...positivesIn(entries, "currentRoundTripTime"));
          if (participant.isLocal) estimates.push(...positivesIn(entries, "availableOutgoingBitrate"));
          const from = participant.isLocal ? undefined : asUserId(userOf(participant.identity));
          const stream = this.describe(entries, source, from);
          if (stream) streams.push(stream);
        }
      }
    }
    this.before = this.after;
    const roundTripMs = roundTrips.length > 0 ? Math.round(Math.min(...roundTrips) * 1_000) : undefined;
    return { streams, roundTripMs, upBitrate: estimates.length > 0 ? Math.max(...estimates) : undefined };
  }

  private describe(entries: Entry[], source: string, from: StreamStats["from"]): StreamStats | undefined {
    const flows = entries.filter(({ type }) => type === (from ? "inbound-rtp" : "outbound-rtp"));
    const [first] = flows;
    if (!first) return undefined;
    const codec = entries.find(({ type, id }) => type === "codec" && id === first.codecId);
    const receipts = entries.filter(({ type }) => type === "remote-inbound-rtp");
    const rates = flows.map((flow) => ({ flow, bitrate: this.bitrateOf(flow, from !== undefined) }));
    const active = rates.filter(({ flow, bitrate }) => flow.active !== false && bitrate > 0);
    return {
      source: source as StreamStats["source"],
      from,
      codec: String(codec?.mimeType ?? "").replace(/^(audio|video)\//, ""),
      bitrate: rates.reduce((sum, { bitrate }) => sum + bitrate, 0),
      layers: active
        .filter(({ flow }) => numberOf(flow, "frameHeight") > 0)
        .map(({ flow, bitrate }) => ({
          height: numberOf(flow, "frameHeight"),
          fps: Math.round(numberOf(flow, "framesPerSecond")),
          bitrate,
        })),
      loss: from
        ? this.lossOf(first)
        : Math.max(0, ...receipts.map((entry) => numberOf(entry, "fractionLost"))),
      jitterMs: Math.round(numberOf(from ? first : receipts[0], "jitter") * 1_000),
    };
  }

  private bitrateOf(flow: Entry, isInbound: boolean): number {
    const id = String(flow.id);
    const counters: Counters = {
      bytes: numberOf(flow, isInbound ? "bytesReceived" : "bytesSent"),
      packets: numberOf(flow, "packetsReceived"),
      lost: numberOf(flow, "packetsLost"),
      ts: numberOf(flow, "timestamp"),
    };
    this.after.set(id, counters);
    const before = this.before.get(id);
    if (!before || counters.ts <= before.ts) return 0;
    return Math.max(0, Math.round(((counters.bytes - before.bytes) * 8_000) / (counters.ts - before.ts)));
  }

  private lossOf(flow: Entry): number {
    const now = this.after.get(String(flow.id));
    const before = this.before.get(String(flow.id));
    if (!now || !before) return 0;
    const lost = Math.max(0, now.lost - before.lost);
    const all = lost + Math.max(0, now.packets - before.packets);
    return all > 0 ? lost / all : 0;
  }
}

/** What the pairs of addresses that are used say of this. */
function positivesIn(entries: Entry[], name: string): number[] {
  return entries
    .filter(({ type, nominated }) => type === "candidate-pair" && nominated === true)
    .map((pair) => numberOf(pair, name))
    .filter((value) => value > 0);
}

/** Tracks that are closing have none. */
async function reportOf(track: Track | undefined): Promise<RTCStatsReport | undefined> {
  if (!track) return undefined;
  try {
    if (track instanceof RemoteTrack) return await track.getRTCStatsReport();
    if ("getRTCStatsReport" in track && typeof track.getRTCStatsReport === "function") {
      return (await track.getRTCStatsReport()) as RTCStatsReport | undefined;
    }
  } catch {
    return undefined;
  }
  return undefined;
}
