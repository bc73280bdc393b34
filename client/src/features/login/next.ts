/** An address of this client, or its home: nobody is sent elsewhere by a link to the sign-in. */
export function inClient(next: string): string {
  const isPath = /^\/(?![/\\])/.test(next);
  return isPath && !next.startsWith("/login") ? next : "/";
}
