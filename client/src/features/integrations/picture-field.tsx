import { ImageUp, Trash2 } from "lucide-react";
import { useState } from "react";
import { FileTrigger } from "react-aria-components/FileTrigger";
import { useMediaUrl } from "~/hooks/media";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import { Avatar } from "~/ui/avatar";
import { Button } from "~/ui/button";
import styles from "./integrations.module.css";

interface PictureFieldProps {
  name: string;
  mxc: string | undefined;
  onChange: (mxc: string | undefined) => void;
  onFailed: (error: unknown) => void;
}

/** The picture under which a program is seen. */
export function PictureField({ name, mxc, onChange, onFailed }: PictureFieldProps) {
  const { t } = useTranslation("integrations");
  const { media } = useSession();
  const src = useMediaUrl(mxc, 56);
  const [isPending, setPending] = useState(false);

  async function upload(file: File) {
    setPending(true);
    await media.upload(file).then(onChange, onFailed);
    setPending(false);
  }

  return (
    <div className={styles.picture}>
      <Avatar name={name} seed={name} src={src} size={56} />
      <FileTrigger
        acceptedFileTypes={["image/png", "image/jpeg", "image/webp", "image/gif"]}
        onSelect={(files) => {
          const file = files?.[0];
          if (file) void upload(file);
        }}
      >
        <Button icon={ImageUp} isPending={isPending}>
          {t("picture")}
        </Button>
      </FileTrigger>
      {mxc && (
        <Button kind="quiet" icon={Trash2} onPress={() => onChange(undefined)}>
          {t("noPicture")}
        </Button>
      )}
    </div>
  );
}
