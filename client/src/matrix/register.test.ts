import { expect, test } from "vitest";
import { nextStage, policiesIn } from "./register";

const flow = (...stages: string[]) => ({ stages });

test("of several ways the one is taken that asks least, and that can be asked here", () => {
  const flows = [
    flow("m.login.recaptcha"),
    flow("m.login.email.identity", "m.login.terms"),
    flow("m.login.registration_token"),
  ];
  expect(nextStage({ flows, completed: [] })).toBe("m.login.registration_token");
});

test("what is done is not asked again, and what was begun is gone on with", () => {
  const flows = [flow("m.login.dummy"), flow("m.login.registration_token", "m.login.terms")];
  expect(nextStage({ flows, completed: ["m.login.registration_token"] })).toBe("m.login.terms");
});

test("a server that asks for nothing gets the dummy", () => {
  expect(nextStage({ flows: [flow("m.login.dummy")], completed: [] })).toBe("m.login.dummy");
});

test("policies are told in the person's language, and links that run something are left out", () => {
  const params = {
    policies: {
      privacy: {
        version: "1",
        en: { name: "Privacy", url: "https://example.org/en" },
        de: { name: "Datenschutz", url: "https://example.org/de" },
      },
      terms: { version: "2", fr: { name: "Conditions", url: "https://example.org/fr" } },
      bad: { version: "1", en: { name: "Bad", url: "javascript:alert(1)" } },
    },
  };
  expect(policiesIn(params, "de").map(({ name }) => name)).toEqual(["Datenschutz", "Conditions"]);
  expect(policiesIn("nonsense", "de")).toEqual([]);
});
