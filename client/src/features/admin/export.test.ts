import { expect, test } from "vitest";
import { toCsv } from "./export";

test("cells keep commas, quotes and line breaks, and run nothing in a spreadsheet", () => {
  const entry = {
    id: 1,
    at_ts: 5,
    administrator: "@anna:a.example",
    action: "users.lock",
    target: null,
    reason: '=HYPERLINK("x"), twice\nover',
    details: { a: 1 },
  };
  expect(toCsv([entry])).toBe(
    "id,at_ts,administrator,action,target,reason,details\r\n" +
      `1,5,'@anna:a.example,users.lock,,"'=HYPERLINK(""x""), twice\nover","{""a"":1}"\r\n`,
  );
});
