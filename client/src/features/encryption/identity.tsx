import { useQuery } from "@tanstack/react-query";
import { ShieldAlert, ShieldCheck, ShieldQuestion } from "lucide-react";
import { useFailureText } from "~/hooks/act";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { Identity } from "~/matrix/encryption/identities";
import { NothingToCompare } from "~/matrix/encryption/verifications";
import type { UserId } from "~/matrix/ids";
import { Button, IconButton } from "~/ui/button";
import { cx } from "~/ui/cx";
import { toast } from "~/ui/toast";
import { openEncryptionDialog } from "./dialog-state";
import styles from "./encryption.module.css";
import { useEncryption, useIdentity } from "./use-encryption";

const SHIELDS = { confirmed: ShieldCheck, changed: ShieldAlert, unconfirmed: ShieldQuestion } as const;

/** Beside somebody's name: that they were confirmed, or that their keys are others than before. Nothing otherwise. */
export function IdentityMark({ userId }: { userId: UserId }) {
  const { t } = useTranslation("encryption");
  const identity = useIdentity(userId);
  if (identity !== "confirmed" && identity !== "changed") return null;
  const Icon = SHIELDS[identity];
  return (
    <Icon
      size={14}
      strokeWidth={1.9}
      role="img"
      aria-label={t(`person.${identity}Mark`)}
      className={cx(styles.mark, styles[identity])}
    />
  );
}

/** On somebody's card: how their keys are known, and the way to compare them. Needs the server's word, so it asks. */
export function PersonIdentity({
  userId,
  name,
  onCompare,
}: {
  userId: UserId;
  name: string;
  /** Before the pictures come: the card makes room. */
  onCompare: () => void;
}) {
  const { t } = useTranslation("encryption");
  const { identities } = useSession();
  const known = useIdentity(userId);
  const compare = useCompare(userId, name);
  const { data: hasKeys } = useQuery({
    queryKey: ["has-keys", userId],
    queryFn: () => identities.hasKeys(userId),
  });
  const identity = known === "unknown" && hasKeys ? "unconfirmed" : known;
  if (identity === "unknown") return null;
  const Icon = SHIELDS[identity];
  return (
    <div className={styles.person}>
      <p>
        <Icon size={15} strokeWidth={1.9} aria-hidden className={styles[identity]} />
        {t(`person.${identity}`, { name })}
      </p>
      {identity !== "confirmed" && (
        <Button
          onPress={() => {
            onCompare();
            compare();
          }}
        >
          {t("person.compare")}
        </Button>
      )}
    </div>
  );
}

/** In the header of an encrypted direct message: whether the other one is confirmed, else the way to it. */
export function DirectShield({ userId, name }: { userId: UserId; name: string }) {
  const { t } = useTranslation("encryption");
  const identity = useIdentity(userId);
  const compare = useCompare(userId, name);
  if (identity === "confirmed" || identity === "unknown") return <Shield identity={identity} name={name} />;
  return (
    <IconButton
      icon={SHIELDS[identity]}
      size="small"
      label={t(`direct.${identity}`, { name })}
      onPress={compare}
      className={styles[identity]}
    />
  );
}

function Shield({ identity, name }: { identity: Identity & ("confirmed" | "unknown"); name: string }) {
  const { t } = useTranslation("encryption");
  return (
    <ShieldCheck
      size={15}
      strokeWidth={1.9}
      role="img"
      aria-label={t(`direct.${identity}`, { name })}
      className={cx(styles.mark, styles[identity])}
    />
  );
}

/** Asks somebody to compare emoji. Whose own device is not confirmed does that first: it has nothing to sign with. */
function useCompare(userId: UserId, name: string): () => void {
  const { t } = useTranslation("encryption");
  const { directs, verifications } = useSession();
  const { stage } = useEncryption();
  const describe = useFailureText();
  return () => {
    if (stage !== "ready") return openEncryptionDialog("verify");
    directs
      .open(userId)
      .then((roomId) => verifications.askPerson(userId, roomId))
      .catch((error: unknown) => {
        const text = error instanceof NothingToCompare ? t("person.noKeys", { name }) : describe(error);
        toast({ text, tone: "danger" });
      });
  };
}
