export { CallControls } from "./call-controls";
export { useJoinVoice } from "./join";
export { QualityMark } from "./quality-mark";
export { VoiceDock } from "./voice-dock";
export { ElapsedChip, VoiceParticipants } from "./voice-participants";
export { VoiceSettings } from "./voice-settings";
