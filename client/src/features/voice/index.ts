export { CallControls } from "./call-controls";
export { CameraChoice, MicrophoneChoice, SpeakerSettings } from "./device-settings";
export { useJoinVoice } from "./join";
export { QualityMark } from "./quality-mark";
export { VoiceDock } from "./voice-dock";
export { ElapsedChip, VoiceParticipants } from "./voice-participants";
export { VoiceSettings } from "./voice-settings";
