/** Whether a moment lies between two times of day ("22:00"); an end before the beginning means the next day. */
export function isQuiet(quiet: { isOn: boolean; from: string; to: string }, now: Date): boolean {
  const [from, to] = [minutesOf(quiet.from), minutesOf(quiet.to)];
  if (!quiet.isOn || from === undefined || to === undefined || from === to) return false;
  const at = now.getHours() * 60 + now.getMinutes();
  return from < to ? at >= from && at < to : at >= from || at < to;
}

function minutesOf(time: string): number | undefined {
  const parts = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(time);
  return parts ? Number(parts[1]) * 60 + Number(parts[2]) : undefined;
}
