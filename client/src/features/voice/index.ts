export { VoiceDock } from "./voice-dock";
