import type { Plugin } from "vite";

export function ownLanguages(): Plugin;
export function plainNames(): Plugin;
export function withoutUnused(): Plugin;
