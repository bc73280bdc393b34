import { Fragment, memo, type ReactNode, useMemo } from "react";
import { useTranslation } from "~/i18n/use-translation";
import { type HtmlElement, type HtmlNode, readHtml, splitLinks } from "~/matrix/html";
import type { RoomId } from "~/matrix/ids";
import { CodeBlock } from "./code-block";
import { InlineImage } from "./inline-image";
import { TextLink } from "./links";
import styles from "./rich-text.module.css";
import { Spoiler } from "./spoiler";

/** A message's words: formatted if they came so, with links and mentions that work. */
export const RichText = memo(function RichText({
  roomId,
  body,
  html,
}: {
  roomId: RoomId;
  body: string;
  html: string | undefined;
}) {
  const nodes = useMemo(() => (html === undefined ? undefined : readHtml(html)), [html]);
  if (!nodes) {
    return (
      <p className={styles.plain}>
        <Linked roomId={roomId} text={body} />
      </p>
    );
  }
  return <div className={styles.rich}>{renderAll(nodes, roomId)}</div>;
});

/** Text with its bare addresses as links. */
function Linked({ roomId, text }: { roomId: RoomId; text: string }) {
  return splitLinks(text).map((part, index) =>
    typeof part === "string" ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: the parts of an immutable text have no other identity.
      <Fragment key={index}>{part}</Fragment>
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: see above.
      <TextLink key={index} roomId={roomId} target={part.target}>
        {part.text}
      </TextLink>
    ),
  );
}

function renderAll(nodes: readonly HtmlNode[], roomId: RoomId, isInLink = false): ReactNode {
  return nodes.map((node, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: the nodes of an immutable text have no other identity.
    <Fragment key={index}>{render(node, roomId, isInLink)}</Fragment>
  ));
}

function render(node: HtmlNode, roomId: RoomId, isInLink: boolean): ReactNode {
  if (node.kind === "text") return isInLink ? node.text : <Linked roomId={roomId} text={node.text} />;
  const children =
    "children" in node ? renderAll(node.children, roomId, isInLink || node.kind === "link") : null;
  switch (node.kind) {
    case "break":
      return <br />;
    case "rule":
      return <hr className={styles.rule} />;
    case "link":
      return (
        <TextLink roomId={roomId} target={node.target}>
          {children}
        </TextLink>
      );
    case "list":
      return <ol start={node.start}>{children}</ol>;
    case "task":
      return <Task isDone={node.isDone}>{children}</Task>;
    case "spoiler":
      return <Spoiler reason={node.reason}>{children}</Spoiler>;
    case "coloured":
      return (
        <span className={styles.coloured} style={{ "--said": node.colour }}>
          {children}
        </span>
      );
    case "maths":
      return <code className={node.isBlock ? styles.mathsBlock : styles.inlineCode}>{node.latex}</code>;
    case "code":
      return <CodeBlock language={node.language} text={node.text} />;
    case "image":
      return <InlineImage image={node} />;
    default:
      return renderElement(node, children);
  }
}

function renderElement(
  { tag: Tag }: Extract<HtmlElement, { kind: "element" }>,
  children: ReactNode,
): ReactNode {
  if (Tag === "code") return <code className={styles.inlineCode}>{children}</code>;
  if (Tag === "table") {
    return (
      <div className={styles.tableFrame}>
        <table>{children}</table>
      </div>
    );
  }
  // A message's headings are none of the page's.
  if (/^h[1-6]$/.test(Tag)) return <p className={styles[Tag]}>{children}</p>;
  return <Tag>{children}</Tag>;
}

function Task({ isDone, children }: { isDone: boolean; children: ReactNode }) {
  const { t } = useTranslation("timeline");
  return (
    <li className={styles.task}>
      <span
        role="img"
        aria-label={t(isDone ? "taskDone" : "taskOpen")}
        className={isDone ? styles.boxDone : styles.box}
      />
      <span>{children}</span>
    </li>
  );
}
