// What we hear: everybody's volume, and nothing at all while deafened.

import { RemoteAudioTrack, type RemoteParticipant, type RemoteTrackPublication, Track } from "livekit-client";
import type { CallSettings } from "./settings";

interface HearingOptions {
  settings: () => CallSettings;
  userOf: (identity: string) => string;
  audio: () => AudioContext;
}

export class Hearing {
  isDeafened = false;

  constructor(private readonly options: HearingOptions) {}

  /** Brings one person's sounds to where the settings want them. */
  apply(participant: RemoteParticipant): void {
    for (const publication of participant.audioTrackPublications.values()) {
      this.applyTo(participant, publication);
    }
  }

  applyTo(participant: RemoteParticipant, publication: RemoteTrackPublication): void {
    const { settings, userOf } = this.options;
    const { volumes, shareVolumes, silenced } = settings();
    const userId = userOf(participant.identity);
    const isShare = publication.source === Track.Source.ScreenShareAudio;
    const volume = (isShare ? shareVolumes : volumes)[userId] ?? 1;
    const isHeard = !this.isDeafened && (isShare || !silenced.includes(userId)) && volume > 0;
    // The SFU stops sending what nobody hears.
    if (publication.isEnabled !== isHeard) publication.setEnabled(isHeard);
    const { track } = publication;
    if (!(track instanceof RemoteAudioTrack)) return;
    const loudness = isHeard ? volume : 0;
    // Elements play as loud as the sound is; more than that takes a gain of our own. An element refuses more than 1,
    // so it gets its volume back before it plays again.
    if (loudness > 1) track.setAudioContext(this.options.audio());
    track.setVolume(loudness);
    if (loudness <= 1) track.setAudioContext(undefined);
  }
}
