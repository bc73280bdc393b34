/** The paths of files in the media repository: they need an access token (CS API § Content repository). */
const MEDIA = /\/_matrix\/client\/v1\/media\/(download|thumbnail)\//;

export const isMedia = (url: URL) => MEDIA.test(url.pathname);

/** The headers for a file: the page's own, of which only what asks for a part of it is passed on, and the token. */
export function mediaHeaders(asked: Headers, token: string): Headers {
  const headers = new Headers({ Authorization: `Bearer ${token}` });
  const range = asked.get("Range");
  if (range) headers.set("Range", range);
  return headers;
}
