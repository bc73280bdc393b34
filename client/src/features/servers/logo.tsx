import { useId } from "react";

/** The mark of the product: an echo that crosses a rift. */
export function Logo({ size = 32 }: { size?: number }) {
  const rift = useId();
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <defs>
        <linearGradient id={rift} x1="0" y1="0" x2="1" y2="1">
          <stop offset="0" stopColor="var(--rift-1)" />
          <stop offset=".55" stopColor="var(--rift-2)" />
          <stop offset="1" stopColor="var(--rift-3)" />
        </linearGradient>
      </defs>
      <g fill="none" stroke={`url(#${rift})`} strokeWidth="3" strokeLinecap="round">
        <g transform="translate(-1.2 -2.2)">
          <path d="M13.6 6.4A10 10 0 0 0 13.6 25.6" />
          <path d="M13.6 12A4.2 4.2 0 0 0 13.6 20" />
        </g>
        <g transform="translate(1.2 2.2)">
          <path d="M18.4 6.4A10 10 0 0 1 18.4 25.6" />
          <path d="M18.4 12A4.2 4.2 0 0 1 18.4 20" />
        </g>
      </g>
    </svg>
  );
}
