import { ClientEvent, type MatrixEvent } from "matrix-js-sdk/lib/matrix";
import type { SessionContext } from "./context";

/** The account's data of a type as it lies on the server: unknown, since any client may have written it. */
export function readAccountData(context: SessionContext, type: string): Record<string, unknown> {
  // The SDK types only what it knows itself.
  return (
    (context.client.getAccountData(type as never) as MatrixEvent | undefined)?.getContent<
      Record<string, unknown>
    >() ?? {}
  );
}

/** Writes it; settles when sync has brought it back, so that a read after it sees the new one. */
export async function writeAccountData(
  context: SessionContext,
  type: string,
  content: Record<string, unknown>,
): Promise<void> {
  await context.client.setAccountData(type as never, content as never);
}

/** Calls back whenever one of these types changed, here or on another device. */
export function watchAccountData(
  context: SessionContext,
  types: readonly string[],
  onChange: () => void,
): void {
  const { client, onClose } = context;
  const onAccountData = (event: MatrixEvent) => {
    if (types.includes(event.getType())) onChange();
  };
  client.on(ClientEvent.AccountData, onAccountData);
  onClose(() => client.off(ClientEvent.AccountData, onAccountData));
}
