import { ExternalLink } from "lucide-react";
import { type FormEvent, useState } from "react";
import { baseUrlOf, useConfig } from "~/hooks/config";
import { useTranslation } from "~/i18n/use-translation";
import {
  type Proof,
  type RegisterFailure,
  registerFailureOf,
  type Stage,
  sendLetter,
} from "~/matrix/register";
import { Button } from "~/ui/button";
import { Checkbox } from "~/ui/checkbox";
import { TextField } from "~/ui/field";
import { Notice } from "~/ui/marks";
import styles from "./login.module.css";

interface StageProps {
  isPending: boolean;
  onProof: (proof: Proof) => void;
}

/** One thing that the server asks for before it makes an account. */
export function RegisterStage({ stage, ...rest }: StageProps & { stage: Stage }) {
  switch (stage.kind) {
    case "token":
      return <TokenStage isWrong={stage.isWrong} {...rest} />;
    case "terms":
      return <TermsStage stage={stage} {...rest} />;
    case "email":
      return <EmailStage isUnconfirmed={stage.isUnconfirmed} {...rest} />;
    case "page":
      return <PageStage url={stage.url} {...rest} />;
  }
}

function TokenStage({ isWrong, isPending, onProof }: StageProps & { isWrong: boolean }) {
  const { t } = useTranslation("login");
  const [token, setToken] = useState("");
  function submit(event: FormEvent) {
    event.preventDefault();
    onProof({ type: "m.login.registration_token", token: token.trim() });
  }
  return (
    <form className={styles.form} onSubmit={submit}>
      {isWrong && <Notice tone="danger">{t("register.tokenWrong")}</Notice>}
      <TextField
        label={t("register.token")}
        hint={t("register.tokenHint")}
        value={token}
        onChange={setToken}
        autoComplete="off"
        isRequired
        autoFocus
      />
      <Submit isPending={isPending} />
    </form>
  );
}

function TermsStage({
  stage,
  isPending,
  onProof,
}: StageProps & { stage: Extract<Stage, { kind: "terms" }> }) {
  const { t } = useTranslation("login");
  const [isAgreed, setIsAgreed] = useState(false);
  function submit(event: FormEvent) {
    event.preventDefault();
    if (isAgreed) onProof({ type: "m.login.terms" });
  }
  return (
    <form className={styles.form} onSubmit={submit}>
      <p>{t("register.terms")}</p>
      <ul className={styles.policies}>
        {stage.policies.map(({ name, url }) => (
          <li key={url}>
            <a href={url} target="_blank" rel="noopener noreferrer">
              {name}
            </a>
          </li>
        ))}
      </ul>
      <Checkbox label={t("register.agree")} isSelected={isAgreed} onChange={setIsAgreed} />
      <Submit isPending={isPending} isDisabled={!isAgreed} />
    </form>
  );
}

function EmailStage({ isUnconfirmed, isPending, onProof }: StageProps & { isUnconfirmed: boolean }) {
  const { t } = useTranslation("login");
  const config = useConfig();
  const [email, setEmail] = useState("");
  const [attempt, setAttempt] = useState(1);
  const [clientSecret] = useState(() => crypto.randomUUID());
  const [letter, setLetter] = useState<{ sid: string; client_secret: string }>();
  const [failure, setFailure] = useState<RegisterFailure>();

  async function submit(event: FormEvent) {
    event.preventDefault();
    setFailure(undefined);
    try {
      setLetter(await sendLetter(baseUrlOf(config), email.trim(), attempt, clientSecret));
      setAttempt(attempt + 1);
    } catch (error) {
      setFailure(registerFailureOf(error));
    }
  }

  if (letter) {
    return (
      <div className={styles.form}>
        <Notice tone={isUnconfirmed ? "ember" : "info"}>
          {t(isUnconfirmed ? "register.emailUnconfirmed" : "register.emailSent", { email })}
        </Notice>
        <Button
          kind="primary"
          className={styles.submit}
          isPending={isPending}
          onPress={() => onProof({ type: "m.login.email.identity", threepid_creds: letter })}
        >
          {t("register.emailDone")}
        </Button>
        <Button className={styles.submit} onPress={() => setLetter(undefined)}>
          {t("register.emailOther")}
        </Button>
      </div>
    );
  }
  return (
    <form className={styles.form} onSubmit={submit}>
      {failure && <Notice tone="danger">{t(`register.failures.${failure}`)}</Notice>}
      <TextField
        label={t("register.email")}
        hint={t("register.emailHint")}
        type="email"
        value={email}
        onChange={setEmail}
        autoComplete="email"
        isRequired
        autoFocus
      />
      <Submit isPending={isPending} />
    </form>
  );
}

function PageStage({ url, isPending, onProof }: StageProps & { url: string }) {
  const { t } = useTranslation("login");
  return (
    <div className={styles.form}>
      <p>{t("register.page")}</p>
      <p>
        <a href={url} target="_blank" rel="noreferrer noopener">
          {t("register.openPage")} <ExternalLink size={15} strokeWidth={1.9} aria-hidden />
        </a>
      </p>
      <Button kind="primary" className={styles.submit} isPending={isPending} onPress={() => onProof({})}>
        {t("register.pageDone")}
      </Button>
    </div>
  );
}

function Submit({ isPending, isDisabled = false }: { isPending: boolean; isDisabled?: boolean }) {
  const { t } = useTranslation("login");
  return (
    <Button
      type="submit"
      kind="primary"
      isPending={isPending}
      isDisabled={isDisabled}
      className={styles.submit}
    >
      {t("register.goOn")}
    </Button>
  );
}
