import { useId } from "react";

const RADII = [18, 32, 46, 60];

/** The echo on a server's cover. */
export function Rings({ className }: { className: string | undefined }) {
  const rift = useId();
  return (
    <svg viewBox="0 0 130 130" aria-hidden="true" focusable="false" className={className}>
      <defs>
        <linearGradient id={rift} x1="0" y1="0" x2="1" y2="1">
          <stop offset="0" stopColor="var(--rift-1)" />
          <stop offset=".55" stopColor="var(--rift-2)" />
          <stop offset="1" stopColor="var(--rift-3)" />
        </linearGradient>
      </defs>
      <g fill="none" stroke={`url(#${rift})`} strokeWidth="2">
        {RADII.map((radius) => (
          <circle key={radius} cx="80" cy="50" r={radius} />
        ))}
      </g>
    </svg>
  );
}
