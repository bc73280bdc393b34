import { Check, Copy } from "lucide-react";
import { Fragment, useEffect, useState } from "react";
import { useTranslation } from "~/i18n/use-translation";
import { cx } from "~/ui/cx";
import styles from "./code-block.module.css";
import { type CodeNode, highlight } from "./highlight";

const SHOWN_LINES = 20;

/** Code with its colours, its language and a button that copies it. Long code opens on demand. */
export function CodeBlock({ language, text }: { language: string; text: string }) {
  const { t } = useTranslation("timeline");
  const lines = text.split("\n").length;
  const isLong = lines > SHOWN_LINES + 2;
  const [isOpen, setOpen] = useState(false);
  const shown = isLong && !isOpen ? text.split("\n").slice(0, SHOWN_LINES).join("\n") : text;
  const nodes = useHighlight(shown, language);
  return (
    <div className={styles.frame}>
      <div className={styles.bar}>
        <span className={styles.language}>{language}</span>
        <CopyButton text={text} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: wide code scrolls, also by keyboard. */}
      <pre tabIndex={0} className={styles.pre}>
        <code>{nodes ? <Nodes nodes={nodes} /> : shown}</code>
      </pre>
      {isLong && (
        <button type="button" className={styles.more} aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {isOpen ? t("codeLess") : t("codeMore", { count: lines - SHOWN_LINES })}
        </button>
      )}
    </div>
  );
}

function CopyButton({ text }: { text: string }) {
  const { t } = useTranslation("timeline");
  const [isCopied, setCopied] = useState(false);
  const Icon = isCopied ? Check : Copy;
  const label = t(isCopied ? "copied" : "copy");
  return (
    <button
      type="button"
      className={styles.copy}
      aria-label={label}
      onClick={() => navigator.clipboard.writeText(text).then(() => setCopied(true))}
      onBlur={() => setCopied(false)}
    >
      <Icon size={13} strokeWidth={1.9} aria-hidden /> <span className={styles.word}>{label}</span>
    </button>
  );
}

function useHighlight(text: string, language: string): readonly CodeNode[] | undefined {
  const [found, setFound] = useState<{ text: string; nodes: readonly CodeNode[] | undefined }>();
  useEffect(() => {
    if (!language) return;
    let isWanted = true;
    highlight(text, language).then(
      (nodes) => isWanted && setFound({ text, nodes }),
      // Without colours it can be read just as well.
      () => {},
    );
    return () => {
      isWanted = false;
    };
  }, [text, language]);
  return found?.text === text ? found.nodes : undefined;
}

function Nodes({ nodes }: { nodes: readonly CodeNode[] }) {
  return nodes.map((node, index) =>
    typeof node === "string" ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: the parts of an immutable text have no other identity.
      <Fragment key={index}>{node}</Fragment>
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: see above.
      <span key={index} className={cx(kindOf(node.scope))}>
        <Nodes nodes={node.children} />
      </span>
    ),
  );
}

function kindOf(scope: string | undefined): string | undefined {
  switch (scope?.split(".")[0]) {
    case "keyword":
    case "meta":
    case "name":
    case "tag":
    case "selector-tag":
      return styles.keyword;
    case "string":
    case "regexp":
    case "attr":
    case "addition":
      return styles.string;
    case "number":
    case "literal":
    case "symbol":
      return styles.number;
    case "title":
    case "built_in":
    case "type":
    case "section":
    case "attribute":
      return styles.function;
    case "comment":
    case "quote":
    case "deletion":
      return styles.comment;
    default:
      return undefined;
  }
}
