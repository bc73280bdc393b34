import { useQuery } from "@tanstack/react-query";
import { useCallSettings } from "~/hooks/calls";
import { useConfig } from "~/hooks/config";
import { useMediaUrl } from "~/hooks/media";
import { useSession } from "~/hooks/session";
import { firstWebLink } from "~/matrix/html";
import type { LinkPreview, Message } from "~/matrix/timeline";
import styles from "./preview-card.module.css";

/** The page that a message links to, as the server saw it. Never in encrypted rooms: asking would tell the server what was said. */
export function MessagePreview({ message, isEncryptedRoom }: { message: Message; isEncryptedRoom: boolean }) {
  const { features } = useConfig();
  const isSparing = useCallSettings((settings) => settings.lowBandwidth);
  const isWanted = !isSparing && features.url_previews && !isEncryptedRoom && message.body.kind === "text";
  const url = isWanted ? firstWebLink(message.text) : undefined;
  return url && !url.startsWith(window.location.origin) ? <Preview url={url} ts={message.ts} /> : null;
}

function Preview({ url, ts }: { url: string; ts: number }) {
  const { userId, actions } = useSession();
  const { data } = useQuery({
    queryKey: ["preview", userId, url],
    queryFn: async () => (await actions.preview(url, ts)) ?? null,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  return data ? <Card preview={data} /> : null;
}

function Card({ preview }: { preview: LinkPreview }) {
  const picture = useMediaUrl(preview.imageMxc, 168);
  return (
    <a
      href={preview.url}
      target="_blank"
      rel="noopener noreferrer nofollow"
      className={styles.card}
      aria-label={preview.title || preview.siteName}
    >
      {preview.imageMxc && (
        <span className={styles.picture}>
          {picture && <img src={picture} alt="" className={styles.fill} />}
        </span>
      )}
      <span className={styles.words}>
        <small>{preview.siteName}</small>
        <b>{preview.title}</b>
        <span className={styles.description}>{preview.description}</span>
      </span>
    </a>
  );
}
