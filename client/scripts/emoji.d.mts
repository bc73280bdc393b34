export function layEmoji(): void;
