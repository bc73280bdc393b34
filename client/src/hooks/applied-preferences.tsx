import { useEffect } from "react";
import { usePreferences } from "./preferences";
import { useSession } from "./session";

/** Tells the session what this device's preferences ask of it; once, in the shell. Renders nothing. */
export function AppliedPreferences() {
  const { unread } = useSession();
  const { sendsReadReceipts } = usePreferences();
  useEffect(() => {
    unread.isPrivate = !sendsReadReceipts;
  }, [unread, sendsReadReceipts]);
  return null;
}
