/** The ways in which a connection between machines fails, by what libraries and systems say of them. */
const KINDS = {
  refused: /connection refused|os error (111|61)\b/i,
  unknownName: /dns error|failed to lookup|name or service not known|nodename nor servname|no such host/i,
  certificate: /certificate|\btls\b|handshake/i,
  late: /timed out|timeout|no answer in time|deadline/i,
  unreachable: /network is unreachable|no route to host/i,
  brokenOff: /connection reset|broken pipe|connection closed|unexpected eof|closed before message/i,
} as const;

type ReasonKind = keyof typeof KINDS;

/** What kind of failure a server tells of; `undefined` if it is none of a connection. */
export function kindOfReason(said: string): ReasonKind | undefined {
  return (Object.keys(KINDS) as ReasonKind[]).find((kind) => KINDS[kind].test(said));
}
